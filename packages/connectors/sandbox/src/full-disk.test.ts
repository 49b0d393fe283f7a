import { execFileSync } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import { context, openSandbox, tracesOf } from './testing/sandbox.ts';
import { withMachines } from './testing/with-machines.ts';

test(
  'on a full disk no machine is begun, and one that has filled it is an error that can be ended',
  withMachines(
    async () => {
      await using sandbox = await openSandbox();
      const { root } = sandbox.config;
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', root]);
      try {
        await expect(sandbox.launchOne('#!/bin/sh\n')).rejects.toMatchObject({
          code: 'capacity',
          message: expect.stringMatching(/^There are \d MiB left for machines on the disk of .*, and one needs at least 8$/),
        });
        expect((await sandbox.list()).filter(({ kind }) => kind === 'machine')).toEqual([]);

        execFileSync('mount', ['-o', 'remount,size=64m', root]);
        const { id } = await sandbox.launchOne('#!/bin/sh\ncat /dev/zero >/filled\nexit 1\n');
        await vi.waitFor(async () => expect((await sandbox.describe(id))?.state).toBe('error'), { timeout: 60_000, interval: 100 });
        expect((await sandbox.describe(id))?.fault).not.toBe('');
        expect(await sandbox.connector.terminate([id], context)).toEqual([{ id, gone: true }]);
        expect((await sandbox.list()).filter(({ kind }) => kind === 'machine')).toEqual([]);
        await vi.waitFor(async () => expect((await tracesOf(sandbox)).processes).toEqual([]), { timeout: 30_000, interval: 100 });
      } finally {
        execFileSync('umount', ['--lazy', root]);
      }
    },
    process.getuid?.() === 0 ? undefined : 'only root can make a small file system',
  ),
  180_000,
);
