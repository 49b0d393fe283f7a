import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Bench } from './bench.ts';
import type { Check } from './check.ts';

/** C08, C12, C21: who sees what. */
export const listing: Check[] = [
  {
    id: 'list-selects',
    title: 'a list shows the machines of the run or token that is asked for, and no others',
    async run(bench) {
      const one = bench.request();
      const two = bench.request({ owner: { engine: bench.engine, run: randomUUID(), node: 'other' } });
      const [first] = await bench.launch(one);
      const [second] = await bench.launch(two);
      assert.deepEqual(
        await bench.machines({}, 2),
        [first?.id ?? '', second?.id ?? ''].toSorted((one, other) => (one < other ? -1 : 1)),
      );
      assert.deepEqual(await bench.machines({ run: one.owner.run }, 1), [first?.id]);
      assert.deepEqual(await bench.machines({ run: one.owner.run, token: one.token }, 1), [first?.id]);
      assert.deepEqual(await bench.machines({ run: one.owner.run, token: two.token }, 0), []);
      assert.deepEqual(await bench.machines({ engine: randomUUID() }, 0), []);
    },
  },
  {
    id: 'list-foreign',
    title: 'two engines in one account do not see each other’s machines, though their runs have the same id',
    async run(bench) {
      const other = new Bench(bench.subject);
      try {
        const ours = await bench.launchOne();
        const theirs = await other.launchOne({ owner: { engine: other.engine, run: bench.run, node: 'node' } });
        assert.deepEqual(await bench.machines({ run: bench.run }, 1), [ours.id]);
        assert.deepEqual(await other.machines({ run: bench.run }, 1), [theirs.id]);
        await bench.end([ours.id]);
        assert.deepEqual(await other.machines({ run: bench.run }, 1), [theirs.id]);
      } finally {
        await other.close();
      }
    },
  },
  {
    id: 'list-stateless',
    title: 'a connector sees what another one has made',
    async run(bench) {
      const machine = await bench.launchOne();
      const other = bench.subject.createConnector();
      assert.equal((await bench.describe(machine.id, other))?.name, machine.name);
      await bench.machines({}, 1);
      assert.ok((await bench.list({}, other)).some(({ id }) => id === machine.id));
      await other.close?.();
    },
  },
];
