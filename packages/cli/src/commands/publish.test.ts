import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModuleView } from '@paceline/api';
import { afterEach, expect, test, vi } from 'vitest';
import { recorder } from '../testing/recorder.ts';
import { publishCommand, type PublishOptions } from './publish.ts';

afterEach(() => vi.unstubAllGlobals());

const there: ModuleView = {
  ...{ name: 'shop/web', version: 3, digest: 'd', kind: 'Image', title: '', description: '', tags: [], author: 'ann' },
  ...{ comment: 'First', commit: 'abc', publishedAt: '2026-01-01T10:00:00.000Z', deprecated: null, channels: [] },
};

/** What is said to somebody who publishes what the server has as `shop/web@3`. */
async function publish(options: PublishOptions): Promise<{ out: string; err: string }> {
  vi.stubGlobal('fetch', async () => Response.json(there, { status: 201 }));
  const folder = await mkdtemp(join(tmpdir(), 'paceline-publish-'));
  const file = join(folder, 'image.yaml');
  await writeFile(file, 'apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: web }\nspec: {}\n');
  const shell = recorder();
  expect(await publishCommand([file], { server: 'http://127.0.0.1:1', token: 't', as: 'shop/web', ...options }, shell)).toBe(0);
  return { out: shell.out(), err: shell.err() };
}

test('says that a comment or a commit came to nothing, as the version is there already', async () => {
  const err = 'shop/web@3 is this already, and keeps its comment and commit\n';
  expect(await publish({ comment: 'Second', commit: 'abc' })).toEqual({ out: 'shop/web@3\n', err });
  expect(await publish({ comment: 'First', commit: 'def' })).toEqual({ out: 'shop/web@3\n', err });
  expect(await publish({ comment: 'First', commit: 'abc' })).toEqual({ out: 'shop/web@3\n', err: '' });
  expect((await publish({ commit: 'def', json: true })).err).toBe(err);
  expect((await publish({})).err).toBe('');
});
