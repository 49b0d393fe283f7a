import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Connector } from '../connector/index.ts';
import { FakeCloud } from '../testing/fake-cloud.ts';
import { clientServerPlan } from '../testing/plans.ts';
import { createRun } from '../run/create.ts';
import { launchRequest, machineName } from './launch-request.ts';

const run = { id: 'a1b2c3d4-0000-4000-8000-000000000000' };
const nodeName = fc.stringMatching(/^[A-Za-z]\w{0,80}$/);

it('names a machine after its instance', () => {
  expect(machineName(run, { name: 'apache.1' })).toBe('apache-1-a1b2c3d4');
});

it('gives every instance a host name of its own', () => {
  fc.assert(
    fc.property(nodeName, nodeName, fc.nat(2000), (one, two, index) => {
      const names = new Set([`${one}.${index}`, `${two}.${index}`, `${one.toLowerCase()}.${index}`, `${one}${index}.1`]);
      const machines = [...names].map((name) => machineName(run, { name }));
      expect(new Set(machines).size).toBe(names.size);
      for (const machine of machines) expect(machine).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/);
    }),
  );
});

it('tells machines behind a tunnel which socket to call, and lets the engine in where their connector does not', () => {
  const id = 'a1b2c3d4-0000-4000-8000-000000000000';
  const given = createRun({ id, name: 'test', plan: clientServerPlan(1), by: 'me', project: 'default', tags: [], now: 0 });
  const [instance] = given.instances.values();
  if (instance === undefined) throw new Error('there is no instance');
  const frame = { engineId: 'e', engineKey: Buffer.alloc(32), agentSha256: 'a'.repeat(64), url: () => 'https://engine' };
  const ask = (connector: Connector, reach?: 'tunnel') => {
    const { machines, tunnelled } = launchRequest(given, [instance], { name: 'c', connector, ...(reach && { reach }) }, frame);
    return { tunnelled, userData: new TextDecoder().decode(machines[0]?.userData) };
  };
  const { connector } = new FakeCloud();
  const home = 'socket=${PACELINE_TUNNEL:-/var/lib/paceline-tunnel/own/engine}\n';
  expect(ask(connector)).toMatchObject({ userData: expect.stringContaining('https://engine') });
  expect(ask(connector).tunnelled).toBeUndefined();
  const behind = ask(connector, 'tunnel');
  expect(behind.tunnelled).toBe(true);
  expect(behind.userData).toContain(home);
  expect(behind.userData).toContain('OPENSSH PRIVATE KEY');
  expect(ask(connector, 'tunnel')).toEqual(behind);
  const own = ask({ ...connector, sshAccess: () => Promise.reject(new Error('not asked')) }, 'tunnel').userData;
  expect(own).toContain(home);
  expect(own).not.toContain('PRIVATE KEY');
});
