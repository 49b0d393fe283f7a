import { readdir, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { importSlipstream, PacelineError, xmlText } from '@paceline/model';
import { isThere, tellWritten, writeFiles } from '../new-files.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface ImportOptions extends GlobalOptions {
  into: string;
  force?: boolean;
  json?: boolean;
}

/** `paceline import`: module files of SlipStream's XML. What has no place in them is told, all of it. */
export async function importCommand(paths: string[], options: ImportOptions, shell: Shell): Promise<number> {
  const sources: Record<string, string> = {};
  for (const path of paths) for (const file of await xmlIn(resolve(shell.cwd, path))) sources[file] = xmlText(file, await readFile(file));
  if (Object.keys(sources).length === 0) throw new PacelineError('PACELINE_MODULE_NOT_FOUND', `There is no XML in ${paths.join(', ')}`);
  const { files, unmapped } = await importSlipstream(sources);
  const target = resolve(shell.cwd, options.into);
  // A project that is there stays as it is.
  const hasProject = await isThere(join(target, 'project.yaml'));
  const fresh = files.filter(({ path }) => path !== 'project.yaml' || !hasProject);
  const written = await writeFiles(fresh, target, options.force === true, shell);
  tellWritten(written, unmapped, options.json === true, shell);
  return 0;
}

async function xmlIn(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new PacelineError('PACELINE_MODULE_NOT_FOUND', `There is no file ${path}`);
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true });
  return entries
    .filter((name) => name.endsWith('.xml'))
    .toSorted()
    .map((name) => join(path, name));
}
