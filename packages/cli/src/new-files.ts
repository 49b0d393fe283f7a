import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { harmlessLine } from '@paceline/door';
import { PacelineError, type Unmapped } from '@paceline/model';
import { say, type Shell } from './shell.ts';

/** A file that a command writes, below a folder. */
export interface NewFile {
  path: string;
  text: string;
  executable?: boolean;
}

/**
 * Writes files below a folder; none, when one of them would be overwritten.
 * @param force also over what is there
 * @returns their paths, as they are seen from where the command runs
 * @throws PACELINE_CONFLICT for that
 */
export async function writeFiles(files: readonly NewFile[], target: string, force: boolean, shell: Shell): Promise<string[]> {
  const there = await Promise.all(files.map(({ path }) => isThere(join(target, path))));
  const taken = files.filter((_, at) => there[at] === true);
  if (taken.length > 0 && !force)
    throw new PacelineError('PACELINE_CONFLICT', `${taken.map(({ path }) => path).join(', ')} would be overwritten`, {
      hint: 'Name another folder with --into, or overwrite with --force.',
    });
  const written: string[] = [];
  for (const { path, text, executable = false } of files) {
    const file = join(target, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: executable ? 0o755 : 0o644 });
    written.push(relative(shell.cwd, file) || file);
  }
  return written;
}

export async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

/** Says what was written, and what has been left out, so that nobody has to find out. */
export function tellWritten(written: readonly string[], unmapped: readonly Unmapped[], json: boolean, shell: Shell): void {
  if (json) {
    shell.stdout.write(`${JSON.stringify({ files: written, unmapped })}\n`);
    return;
  }
  for (const file of written) shell.stdout.write(`${file}\n`);
  if (unmapped.length > 0) say(shell, 'Not mapped:');
  for (const { module, field, value } of unmapped) say(shell, `  ${harmlessLine(`${module}: ${field} = ${value}`)}`);
}
