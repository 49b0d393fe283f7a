import { resolve } from 'node:path';
import { diskFiles, exportSlipstream } from '@paceline/model';
import { tellWritten, writeFiles } from '../new-files.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface ExportOptions extends GlobalOptions {
  into: string;
  force?: boolean;
  json?: boolean;
}

/** `paceline export`: a module and what it refers to as XML that SlipStream takes. */
export async function exportCommand([path = '.']: string[], options: ExportOptions, shell: Shell): Promise<number> {
  const { files, unmapped } = await exportSlipstream(resolve(shell.cwd, path), diskFiles());
  const made = Object.entries(files).map(([name, text]) => ({ path: name, text }));
  const written = await writeFiles(made, resolve(shell.cwd, options.into), options.force === true, shell);
  tellWritten(written, unmapped, options.json === true, shell);
  return 0;
}
