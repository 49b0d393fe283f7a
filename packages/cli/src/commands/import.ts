import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { harmlessLine } from '@paceline/door';
import { importSlipstream, PacelineError, xmlText, type Unmapped } from '@paceline/model';
import { say, type GlobalOptions, type Shell } from '../shell.ts';

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
  const written: string[] = [];
  for (const { path, text, executable } of await fresh(files, target, options.force === true)) {
    const file = join(target, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: executable ? 0o755 : 0o644 });
    written.push(relative(shell.cwd, file) || file);
  }
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ files: written, unmapped })}\n`);
  else {
    for (const file of written) shell.stdout.write(`${file}\n`);
    tellUnmapped(unmapped, shell);
  }
  return 0;
}

/** Says what has been left out, so that nobody has to find out. */
export function tellUnmapped(unmapped: readonly Unmapped[], shell: Shell): void {
  if (unmapped.length > 0) say(shell, 'Not mapped:');
  for (const { module, field, value } of unmapped) say(shell, `  ${harmlessLine(`${module}: ${field} = ${value}`)}`);
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

/** What may be written. A project that is there stays as it is. @throws PACELINE_CONFLICT when another file would be overwritten */
async function fresh<T extends { path: string }>(files: readonly T[], target: string, force: boolean): Promise<T[]> {
  const there = await Promise.all(files.map(({ path }) => stat(join(target, path)).catch(() => undefined)));
  const taken = files.filter(({ path }, at) => there[at] !== undefined && path !== 'project.yaml');
  if (taken.length > 0 && !force)
    throw new PacelineError('PACELINE_CONFLICT', `${taken.map(({ path }) => path).join(', ')} would be overwritten`, {
      hint: 'Name another folder with --into, or overwrite with --force.',
    });
  return files.filter(({ path }, at) => path !== 'project.yaml' || there[at] === undefined);
}
