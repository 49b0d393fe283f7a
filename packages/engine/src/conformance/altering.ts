import assert from 'node:assert/strict';
import type { AttachedDisk } from '../connector/index.ts';
import type { Check } from './check.ts';

/** What is changed of machines that run. */
export const altering: Check[] = [
  {
    id: 'disks',
    title: 'a machine is given a disk once for a token, keeps it until it is taken away, and takes it along when it ends',
    skipped: ({ createConnector }) => (createConnector().attachDisk === undefined ? 'machines are given no disks' : undefined),
    async run(bench) {
      const machine = await bench.launchOne();
      await bench.until('it runs', async () => (await bench.describe(machine.id))?.state === 'running');
      const attach = (token: string, connector = bench.connector): Promise<AttachedDisk> =>
        bench.persistently(`attach ${token}`, async () => {
          const disk = await connector.attachDisk?.(machine.id, { token, gib: 1 }, bench.context);
          assert.ok(disk, 'it gives the machine a disk');
          return disk;
        });
      const first = await attach('one');
      const other = bench.subject.createConnector();
      assert.deepEqual(await attach('one', other), first, 'asked for again it is the same disk');
      await other.close?.();
      const second = await attach('two');
      assert.notEqual(second.id, first.id);
      assert.notEqual(second.device, first.device);
      for (const _twice of [1, 2]) {
        await bench.persistently('detach', async () => bench.connector.detachDisk?.(machine.id, first.id, bench.context));
      }
      await bench.end([machine.id]);
      await bench.until('nothing is left, no disk either', async () => (await bench.list()).length === 0);
    },
  },
];
