import { access, mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { initTemplate, PacelineError } from '@paceline/model';
import type { Shell } from '../shell.ts';

/** `paceline init`: writes a first project. Nothing that is there is overwritten. */
export async function initCommand([dir = '.']: string[], _options: object, shell: Shell): Promise<number> {
  const root = resolve(shell.cwd, dir);
  const name =
    basename(root)
      .replace(/[^\w.-]+/g, '-')
      .replace(/^[^a-z]+/i, '') || 'hello';
  const files = initTemplate(name);
  const there: string[] = [];
  for (const { path } of files) {
    const exists = access(join(root, path)).then(
      () => true,
      () => false,
    );
    if (await exists) there.push(path);
  }
  if (there.length > 0) {
    throw new PacelineError('PACELINE_CONFLICT', `${root} holds ${there.join(', ')} already; nothing was written`, {
      hint: 'Name an empty folder.',
    });
  }
  for (const { path, text, mode } of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { mode, flag: 'wx' });
    shell.stdout.write(`${relative(shell.cwd, join(root, path))}\n`);
  }
  shell.stderr.write(`\nRun it: paceline up ${relative(shell.cwd, root) || '.'}\n`);
  return 0;
}
