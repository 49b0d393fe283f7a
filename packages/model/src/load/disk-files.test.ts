import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { diskFiles } from './disk-files.ts';
import { memoryFiles } from './file-source.ts';

test('memory and disk answer alike', async () => {
  const root = await mkdtemp(join(tmpdir(), 'paceline-'));
  onTestFinished(() => rm(root, { recursive: true }));
  await writeFile(join(root, 'a.txt'), 'hello');
  await symlink(join(root, 'a.txt'), join(root, 'link'));
  await symlink(join(root, 'loop'), join(root, 'loop'));
  const disk = diskFiles();
  const memory = memoryFiles({ [`${root}/a.txt`]: 'hello' }, { [`${root}/link`]: `${root}/a.txt` });
  for (const fs of [disk, memory]) {
    const text = async (name: string, limit: number): Promise<string | undefined> => {
      const bytes = await fs.read(`${root}/${name}`, limit);
      return bytes && new TextDecoder().decode(bytes);
    };
    expect(await text('a.txt', 100)).toBe('hello');
    expect(await text('link', 100)).toBe('hello');
    expect(await text('a.txt', 2)).toBe('hel');
    expect(await text('nothing', 100)).toBeUndefined();
    expect(await text('a.txt/b', 100)).toBeUndefined();
    expect(await fs.read(root, 100)).toBeUndefined();
    expect(await fs.realPath(`${root}/link`)).toBe(`${root}/a.txt`);
    expect(await fs.realPath(`${root}/nothing`)).toBe(`${root}/nothing`);
  }
  expect(await disk.read(`${root}/loop`, 100)).toBeUndefined();
  expect(await disk.read('/dev/zero', 100)).toBeUndefined();
  await expect(disk.read('a\0b', 100)).rejects.toThrow();
});
