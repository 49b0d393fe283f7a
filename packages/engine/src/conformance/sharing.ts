import assert from 'node:assert/strict';
import type { LaunchRequest } from '../connector/index.ts';
import type { Bench } from './bench.ts';
import type { Check } from './check.ts';
import { withFaults, withoutFaults } from './faults.ts';
import { batchOf } from './launching.ts';
import type { ConformanceSubject } from './subject.ts';

function withoutSharing({ createConnector }: ConformanceSubject): string | undefined {
  return createConnector().capabilities.sharedLaunch === undefined ? 'each machine is launched by itself' : undefined;
}

/** Machines whose numbers are not their places. */
function sharedRequest(bench: Bench): LaunchRequest & { shared: NonNullable<LaunchRequest['shared']> } {
  const { machines, ...request } = bench.request({ count: batchOf(bench) });
  const shared = { name: `shared-${request.token.slice(0, 8)}`, userData: new TextEncoder().encode('#!/bin/sh\nexit 0\n') };
  return { ...request, machines: machines.map((machine, place) => ({ ...machine, index: 10 * (place + 1) })), shared };
}

function identities(machines: readonly { id: string; index: number }[]): string[] {
  return machines.map(({ id, index }) => `${index} ${id}`).toSorted();
}

/** C05: machines that are launched by one call, with user data in common. */
export const sharing: Check[] = [
  {
    id: 'launch-shared',
    title: 'machines with user data in common know their places, and are told apart by everybody, also when one more is launched',
    skipped: withoutSharing,
    async run(bench) {
      const request = sharedRequest(bench);
      const machines = await bench.launchAll(request);
      assert.deepEqual(
        machines.map(({ index, name }) => ({ index, name })),
        request.machines.map(({ index }, place) => ({ index, name: `${request.shared.name}-${place + 1}` })),
      );
      const other = bench.subject.createConnector();
      const described = await other.describe(
        machines.map(({ id }) => id),
        bench.context,
      );
      assert.deepEqual(identities([...described.values()]), identities(machines));
      assert.deepEqual(identities(await other.launch(request, bench.context)), identities(machines));
      await other.close?.();
      const more = { ...request, machines: [...request.machines, ...bench.request().machines] };
      const all = await bench.launchAll(more);
      assert.deepEqual(identities(all.filter(({ index }) => index !== 1)), identities(machines));
      assert.equal((await bench.machines({ token: request.token }, all.length)).length, machines.length + 1);
    },
  },
  {
    id: 'shared-lost-answer',
    title: 'machines with user data in common are launched by one request, and once, though its answer is lost',
    skipped: (subject) => withoutSharing(subject) ?? withoutFaults(subject),
    patience: 6,
    run: (bench) =>
      withFaults(bench, async ({ connector, proxy, by }) => {
        const one = sharedRequest(bench);
        await bench.launchAll(one, connector);
        assert.equal(proxy.seen.filter((request) => by.isLaunch(request)).length, 1, 'one request launches all');
        const two = sharedRequest(bench);
        let lost = 0;
        proxy.fault = (request) => (by.isLaunch(request) && lost === 0 ? (lost++, 'lose') : undefined);
        const machines = await bench.launchAll(two, connector);
        assert.equal(lost, 1, 'an answer was lost');
        const ids = machines.map(({ id }) => id).toSorted();
        assert.deepEqual(await bench.machines({ token: two.token }, ids.length), ids);
      }),
  },
];
