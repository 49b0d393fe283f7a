import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { context, openEngine, openSandbox, until } from './testing/sandbox.ts';
import { withMachines } from './testing/with-machines.ts';

const unlimited = process.getuid?.() === 0 ? undefined : 'only root has limits of memory';

test.for([4, 16])(
  'a machine that cannot boot in its %d MiB says so, and holds up no other',
  { timeout: 60_000 },
  (memoryMiB, testContext) =>
    withMachines(async () => {
      await using sandbox = await openSandbox();
      await using home = await openEngine();
      const small = await sandbox.launchOne('#!/bin/sh\n', { memoryMiB });
      const large = await sandbox.launchOne(`#!/bin/sh\ncurl -s -d up ${home.url}/up\n`, { token: 'f'.repeat(32), memoryMiB: 256 });
      await home.posted('/up');
      const fault = `cloud-init was killed: it needs more memory than the ${memoryMiB} MiB that the machine has`;
      await until('the machine says so', async () => (await sandbox.describe(small.id))?.fault === fault, 30_000);
      expect((await sandbox.describe(small.id))?.state).toBe('error');
      expect((await sandbox.describe(large.id))?.state).toBe('running');
      expect(await sandbox.connector.terminate([small.id, large.id], context)).toMatchObject([{ gone: true }, { gone: true }]);
      expect(await readdir(join(sandbox.config.root, 'runs'))).toEqual([]);
    }, unlimited)(testContext),
);

test(
  'a machine that is to have more memory than there is is not begun',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await expect(sandbox.launchOne('#!/bin/sh\n', { memoryMiB: 50_000_000 })).rejects.toMatchObject({ code: 'capacity' });
    expect(await sandbox.list()).toEqual([]);
  }),
);
