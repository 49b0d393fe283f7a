import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findProjectClouds } from './project-clouds.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'paceline-clouds-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, text = ''): Promise<string> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), text);
  return join(root, path);
}

describe('the clouds of a project', () => {
  const project = 'apiVersion: paceline.dev/v1\nkind: Project\nmetadata: { name: p }\nspec: {}\n';

  test('are found above the module, within the project', async () => {
    const outside = await put('clouds.yaml');
    await put('p/project.yaml', project);
    expect(await findProjectClouds(join(root, 'p', 'a', 'b'))).toBeUndefined();
    const own = await put('p/clouds.yaml');
    expect(await findProjectClouds(join(root, 'p', 'a', 'b'))).toBe(own);
    expect(await findProjectClouds(root)).toBe(outside);
  });

  test('are found at the root of the highest project, as its modules are', async () => {
    await put('clouds.yaml');
    await put('p/project.yaml', project);
    const own = await put('p/clouds.yaml');
    await put('p/a/project.yaml', project);
    expect(await findProjectClouds(join(root, 'p', 'a', 'b'))).toBe(own);
  });

  test('are not taken from a folder that need not be ours', async () => {
    await put('clouds.yaml');
    expect(await findProjectClouds(join(root, 'loose'))).toBeUndefined();
  });
});
