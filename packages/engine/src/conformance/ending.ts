import assert from 'node:assert/strict';
import type { Check } from './check.ts';
import { batchOf } from './launching.ts';

const nowhere = ['conformance-0000000000000000', '../../etc', ''];

/** C07, and the end of a machine's life. */
export const ending: Check[] = [
  {
    id: 'describe-unknown',
    title: 'what the cloud does not know is absent from a description, and no failure',
    async run(bench) {
      const machine = await bench.launchOne();
      const found = await bench.connector.describe([...nowhere, machine.id], bench.context);
      assert.deepEqual([...found.keys()], [machine.id]);
      assert.equal((await bench.connector.describe([], bench.context)).size, 0);
    },
  },
  {
    id: 'terminate-unknown',
    title: 'to terminate what is not there succeeds',
    async run(bench) {
      const results = await bench.connector.terminate(nowhere, bench.context);
      assert.deepEqual(
        results,
        nowhere.map((id) => ({ id, gone: true })),
      );
    },
  },
  {
    id: 'terminate-again',
    title: 'machines that have just been launched are terminated, twice, all at once, by another connector',
    async run(bench) {
      const machines = await bench.launch(bench.request({ count: batchOf(bench) }));
      const ids = machines.map(({ id }) => id);
      const other = bench.subject.createConnector();
      await Promise.all([bench.end(ids), bench.end(ids, other)]);
      await bench.end(ids);
      await other.close?.();
      await bench.until('nothing is listed', async () => (await bench.list()).length === 0);
    },
  },
  {
    id: 'terminate-some',
    title: 'to terminate one machine leaves the others alone',
    async run(bench) {
      const machines = await bench.launch(bench.request({ count: 2 }));
      const [first, second] = machines.map(({ id }) => id);
      await bench.end([first ?? '']);
      assert.deepEqual(await bench.machines({}, 1), [second]);
      assert.ok(['pending', 'running'].includes((await bench.describe(second ?? ''))?.state ?? ''), 'the other goes on');
    },
  },
  {
    id: 'end-of-life',
    title: 'at the end of its life a machine stops, though nobody asks for it',
    skipped: ({ endOfLife, host }) =>
      endOfLife !== 'connector' && host === undefined ? 'machines reach no address of this host' : undefined,
    async run(bench) {
      const byConnector = bench.subject.endOfLife === 'connector';
      const machine = await bench.launchOne(
        byConnector
          ? { userData: '#!/bin/sh\nsleep 3600\n', expiresAt: new Date(Date.now() + 3000) }
          : { userData: '#!/bin/sh\nshutdown -P now || poweroff\n' },
      );
      await bench.until('it does not run any more', async () => {
        const now = await bench.describe(machine.id);
        return now === undefined || now.state === 'stopped';
      });
      await bench.end([machine.id]);
    },
  },
];
