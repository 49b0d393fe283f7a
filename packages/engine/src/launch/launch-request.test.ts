import fc from 'fast-check';
import { expect, it } from 'vitest';
import { machineName } from './launch-request.ts';

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
