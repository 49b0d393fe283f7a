import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { findProjectClouds } from './project-clouds.ts';

/** The clouds that a run of a module wants of the embedded engine: the file that is named, else that of the module's project. */
export async function chooseClouds(module: string, named: string | undefined, cwd: string): Promise<{ file: string | null }> {
  if (named !== undefined) return { file: resolve(cwd, named) };
  const path = resolve(cwd, module.split('#')[0] ?? module);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return { file: (await findProjectClouds(isFolder ? path : dirname(path))) ?? null };
}
