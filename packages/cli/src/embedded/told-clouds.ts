import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cloudsOf, type CloudsSource } from '@paceline/clouds';
import * as z from 'zod';

const told = z.strictObject({ file: z.string(), text: z.string() }).nullable();

/** Keeps the clouds that the engine in the background was told, as their file was then: it may be gone when somebody starts it again. */
export async function rememberClouds(state: string, { file, text }: CloudsSource): Promise<void> {
  const staged = `${pathIn(state)}.${process.pid}`;
  await writeFile(staged, JSON.stringify(file === null ? null : { file, text }), { mode: 0o600 });
  await rename(staged, pathIn(state));
}

/** @returns undefined when it was told none */
export async function rememberedClouds(state: string): Promise<CloudsSource | undefined> {
  const text = await readFile(pathIn(state), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return 'null';
    throw error;
  });
  const found = told.parse(JSON.parse(text));
  return found === null ? undefined : cloudsOf(state, found.file, found.text);
}

function pathIn(state: string): string {
  return join(state, 'engine-clouds.json');
}
