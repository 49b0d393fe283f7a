import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { folders, read, trackedFiles, workspaces } from './tracked-files.ts';

const text = read('docs/architecture.md');
const mapped = [...text.matchAll(/^\| `([^`]+)` \| .{10,} \|$/gm)].map(([, folder = '']) => folder);

test('every folder on the map is there, once', () => {
  for (const folder of mapped) expect(folders).toContain(folder);
  expect(new Set(mapped).size).toBe(mapped.length);
});

test('every folder is on the map', () => {
  // The folder of a workspace itself, or one that is only made of folders, needs no row.
  const plain = new Set(['.', ...workspaces.map(({ folder }) => folder)]);
  expect(folders.filter((folder) => !plain.has(folder) && !mapped.includes(folder))).toEqual([]);
});

test('every file that the page names is there', () => {
  const files = [...text.matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)].map(([, file = '']) => file);
  expect(files.filter((file) => dirname(file) !== '.' && !trackedFiles.includes(file))).toEqual([]);
});
