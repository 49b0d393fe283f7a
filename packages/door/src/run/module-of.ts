import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client } from '@paceline/api';
import { diskFiles, loadModule, moduleReference, type LoadedModule, type PublishedModules } from '@paceline/model';

/**
 * The module of a file, or a published one.
 * @param client for published modules; not asked for when there are none
 * @throws PACELINE_MODULE_INVALID, PACELINE_MODULE_NOT_FOUND, PACELINE_NOT_FOUND
 */
export async function moduleOf(
  word: string,
  cwd: string,
  client: () => Promise<Client>,
): Promise<Pick<LoadedModule, 'deployment' | 'warnings'>> {
  if (await namesPublished(word, cwd)) return { deployment: (await (await client()).modules.get(word)).deployment, warnings: [] };
  return loadModule(word, { fs: diskFiles(), cwd, published: publishedBy(client) });
}

/** The published modules that files refer to. */
export function publishedBy(client: () => Promise<Client>): PublishedModules {
  return { get: async (reference) => (await client()).modules.get(reference) };
}

/** Whether a word names a published module: it looks like one, and there is no file or folder of that name. */
export async function namesPublished(word: string, cwd: string): Promise<boolean> {
  if (moduleReference(word) === undefined || /\.ya?ml$/.test(word)) return false;
  return stat(resolve(cwd, word)).then(
    () => false,
    () => true,
  );
}
