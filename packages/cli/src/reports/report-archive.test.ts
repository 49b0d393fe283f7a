import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { extractArchive, listArchive } from './report-archive.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'paceline-report-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

/** A report that a hostile machine has packed. */
async function hostile(): Promise<string> {
  const root = await folder();
  await mkdir(join(root, 'in', 'sub'), { recursive: true });
  await writeFile(join(root, 'in', 'plain.log'), 'hello', { mode: 0o4755 });
  await writeFile(join(root, 'in', 'sub', 'run.sh'), '#!/bin/sh', { mode: 0o777 });
  await symlink('/etc', join(root, 'in', 'etc'));
  execFileSync('ln', [join(root, 'in', 'plain.log'), join(root, 'in', 'twin')]);
  execFileSync('mkfifo', [join(root, 'in', 'pipe')]);
  const path = join(root, 'r.tgz');
  execFileSync('tar', ['--sort=name', '-czf', path, '-C', join(root, 'in'), '--transform', 's,^\\./sub/run.sh,../outside.sh,', '-P', '.']);
  return path;
}

test('lists what is in a report without unpacking it', async () => {
  const entries = await listArchive('r', createReadStream(await hostile()));
  expect(entries.map(({ type, path }) => `${type} ${path}`).toSorted()).toMatchInlineSnapshot(`
    [
      "Directory ./",
      "Directory ./sub/",
      "FIFO ./pipe",
      "File ../outside.sh",
      "File ./plain.log",
      "Link ./twin",
      "SymbolicLink ./etc",
    ]
  `);
});

test('unpacks files and folders, without their permissions, and nothing else', async () => {
  const target = join(await folder(), 'out');
  const skipped = await extractArchive(await hostile(), target);
  expect(skipped.toSorted()).toMatchInlineSnapshot(`
    [
      "../outside.sh",
      "./etc",
      "./pipe",
      "./twin",
    ]
  `);
  expect((await readdir(join(target, '..'))).toSorted()).toEqual(['out']);
  const left = await readdir(target);
  expect(left.toSorted()).toMatchInlineSnapshot(`
    [
      "plain.log",
      "sub",
    ]
  `);
  for (const name of left) {
    const { mode } = await stat(join(target, name));
    expect(mode & 0o7022).toBe(0);
  }
});

test('tells a file that is no archive', async () => {
  const path = join(await folder(), 'x');
  await writeFile(path, 'no archive at all, but long enough to be looked at'.repeat(100));
  await expect(listArchive('x', createReadStream(path))).rejects.toMatchObject({ code: 'PACELINE_REPORT_CORRUPT' });
});
