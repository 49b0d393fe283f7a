import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { namesPublished } from './module-of.ts';

it('a word names a published module unless there is a file of that name, or it is written as one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-published-'));
  await writeFile(join(folder, 'shop'), '');
  const words = ['web', 'shop/web@3', `web@sha256:${'a'.repeat(64)}`, 'shop', './web', '.', 'web.yaml', 'web@', 'a b'];
  const found = await Promise.all(words.map(async (word) => [word, await namesPublished(word, folder)]));
  expect(found.filter(([, is]) => is).map(([word]) => word)).toEqual(words.slice(0, 3));
});
