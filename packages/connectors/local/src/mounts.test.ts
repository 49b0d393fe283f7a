import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountsBelow, unmountBelow } from './mounts.ts';
import { removeTree } from './remove-tree.ts';

const why = process.platform !== 'linux' || process.getuid?.() !== 0 ? 'only root of a Linux host can mount' : undefined;

test('what is mounted below a directory is read from the kernel, the last first', () => {
  const text = [
    '22 1 0:21 / / rw,relatime - ext4 /dev/vda rw',
    String.raw`90 22 0:50 / /a\040b/one rw shared:1 - tmpfs tmpfs rw`,
    String.raw`91 90 0:51 / /a\040b/one/t\134wo\0121 rw - tmpfs tmpfs rw`,
    String.raw`92 22 0:52 / /a\040bc rw - tmpfs tmpfs rw`,
    '',
  ].join('\n');
  expect(mountsBelow(text, '/a b')).toEqual(['/a b/one/t\\wo\n1', '/a b/one']);
  expect(mountsBelow(text, '/a b/one')).toHaveLength(2);
  expect(mountsBelow(text, '/a')).toEqual([]);
});

describe.skipIf(why !== undefined)(`mounts${why === undefined ? '' : ` (${why})`}`, () => {
  let folder: string;
  let machine: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'paceline mounts-')));
    machine = join(folder, 'machine');
    const [data, target] = [join(folder, 'data'), join(machine, 'backup of data')];
    await mkdir(data);
    await writeFile(join(data, 'precious'), 'text');
    await mkdir(target, { recursive: true });
    // Of the same file system: nothing but the kernel's list tells that it is mounted.
    execFileSync('mount', ['--bind', data, target]);
  });
  afterEach(async () => {
    for (const left of mountsBelow(await readFile('/proc/self/mountinfo', 'utf8'), folder)) execFileSync('umount', [left]);
    await rm(folder, { recursive: true, force: true });
  });

  test('what a script has mounted in its machine is not deleted with the machine', async () => {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(machine, 'backup of data')]);
    await removeTree(machine, []);
    expect(existsSync(machine)).toBe(false);
    expect(await readFile(join(folder, 'data/precious'), 'utf8')).toBe('text');
  });

  test('what is busy goes out of sight', async () => {
    await using _busy = await open(join(machine, 'backup of data/precious'));
    await removeTree(machine, []);
    expect(existsSync(machine)).toBe(false);
    expect(await readFile(join(folder, 'data/precious'), 'utf8')).toBe('text');
  });

  test('what stays mounted is told, so that nothing is removed', async () => {
    await expect(unmountBelow(machine, 'false')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('backup of data cannot be unmounted'),
    });
    expect(existsSync(join(machine, 'backup of data/precious'))).toBe(true);
  });
});
