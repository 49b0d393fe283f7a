import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { diskFiles, exportSlipstream } from '@paceline/model';
import type { GlobalOptions, Shell } from '../shell.ts';
import { tellUnmapped } from './import.ts';

export interface ExportOptions extends GlobalOptions {
  into: string;
  json?: boolean;
}

/** `paceline export`: a module and what it refers to as XML that SlipStream takes. */
export async function exportCommand([path = '.']: string[], options: ExportOptions, shell: Shell): Promise<number> {
  const { files, unmapped } = await exportSlipstream(resolve(shell.cwd, path), diskFiles());
  const target = resolve(shell.cwd, options.into);
  const written: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const file = join(target, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    written.push(relative(shell.cwd, file) || file);
  }
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ files: written, unmapped })}\n`);
  else {
    for (const file of written) shell.stdout.write(`${file}\n`);
    tellUnmapped(unmapped, shell);
  }
  return 0;
}
