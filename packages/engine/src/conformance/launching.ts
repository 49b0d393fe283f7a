import assert from 'node:assert/strict';
import type { Bench } from './bench.ts';
import type { Check } from './check.ts';

const order = ['pending', 'running'];

/** C01, C02, C04, C05, C17: what a launch makes, and that it makes it once. */
export const launching: Check[] = [
  {
    id: 'launch-one',
    title: 'a machine comes up, and goes without a trace',
    async run(bench) {
      const request = bench.request();
      const [machine] = await bench.launch(request);
      assert.ok(machine, 'a launch returns its machine');
      assert.equal(machine.index, 1);
      assert.equal(machine.name, request.machines[0]?.name);
      assert.ok(Math.abs(machine.createdAt.getTime() - Date.now()) < 600_000, 'it was created now');
      const seen: string[] = [machine.state];
      await bench.until('the machine runs', async () => {
        const now = await bench.describe(machine.id);
        if (now !== undefined && now.state !== seen.at(-1)) seen.push(now.state);
        return now?.state === 'running';
      });
      assert.deepEqual(
        seen,
        order.filter((state) => seen.includes(state)),
        'states move forward only',
      );
      await bench.end([machine.id]);
      await bench.until('the cloud does not know it any more', async () => (await bench.describe(machine.id)) === undefined);
      await bench.until('nothing is listed', async () => (await bench.list()).length === 0);
    },
  },
  {
    id: 'launch-batch',
    title: 'a batch is different machines, each with its owner’s tags',
    async run(bench) {
      const request = bench.request({ count: batchOf(bench) });
      const machines = await bench.launch(request);
      assert.deepEqual(
        machines.map(({ index, name }) => ({ index, name })),
        request.machines.map(({ index, name }) => ({ index, name })),
      );
      assert.equal(new Set(machines.map(({ id }) => id)).size, machines.length, 'ids are different');
      const listed = await bench.until('all are listed, each with what is known of it', async () => {
        const found = (await bench.list({ token: request.token })).filter(({ kind }) => kind === 'machine');
        return found.length >= machines.length && found.every(({ machine }) => machine !== undefined) && found;
      });
      assert.deepEqual(listed.map(({ id }) => id).toSorted(), machines.map(({ id }) => id).toSorted());
      for (const { owner, token, expiresAt } of listed) {
        assert.deepEqual({ engine: owner.engine, run: owner.run, node: owner.node }, request.owner);
        assert.equal(token, request.token);
        assert.ok(Math.abs((expiresAt?.getTime() ?? 0) - request.expiresAt.getTime()) < 1000, 'the end of life is kept to the second');
      }
    },
  },
  {
    id: 'launch-again',
    title: 'a launch that is made again with its token makes no second machine, from another process too',
    async run(bench) {
      const request = bench.request({ count: batchOf(bench) });
      const first = ids(await bench.launch(request));
      const other = bench.subject.createConnector();
      assert.deepEqual(ids(await other.launch(request, bench.context)), first);
      await other.close?.();
      assert.deepEqual(await bench.machines({ token: request.token }, first.length), first);
    },
  },
  {
    id: 'launch-twice-at-once',
    title: 'two launches at once with one token make one set of machines',
    skipped: ({ createConnector }) =>
      createConnector().capabilities.idempotency === 'tag' ? 'the cloud knows no token and no unique names' : undefined,
    async run(bench) {
      const request = bench.request({ count: 2 });
      const [one, two] = await Promise.all([bench.launchAll(request), bench.launchAll(request, bench.subject.createConnector())]);
      assert.deepEqual(ids(one), ids(two));
      assert.equal((await bench.machines({ token: request.token }, 2)).length, 2);
    },
  },
  {
    id: 'launch-part',
    title: 'a launch of some machines of a token finds those, and adds what is missing',
    async run(bench) {
      const both = bench.request({ count: 2 });
      const [first] = await bench.launch({ ...both, machines: both.machines.slice(0, 1) });
      const machines = await bench.launch(both);
      assert.equal(machines.find(({ index }) => index === 1)?.id, first?.id);
      assert.deepEqual(await bench.machines({ token: both.token }, 2), ids(machines));
    },
  },
  {
    id: 'names',
    title: 'a name of 63 characters is kept',
    async run(bench) {
      const request = bench.request();
      const name = `n${'0123456789-'.repeat(6)}`.slice(0, 54) + request.token.slice(0, 9);
      const [machine] = await bench.launch({
        ...request,
        machines: [{ index: 1, name, userData: new TextEncoder().encode('#!/bin/sh\n') }],
      });
      assert.equal(machine?.name, name);
    },
  },
];

/** As many as one call may launch, of those that may be there. */
export function batchOf({ subject, connector }: Bench): number {
  return Math.min(subject.machines ?? 3, connector.capabilities.maxBatch);
}

function ids(machines: readonly { id: string }[]): string[] {
  return machines.map(({ id }) => id).toSorted();
}
