import { checkModule, checkWiring, diskFiles, errorCatalogue, formatDiagnostic, type CheckedModule } from '@paceline/model';
import { harmless, publishedBy } from '@paceline/door';
import { connectLater } from '../connection/connect-later.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

/** `paceline validate`: every problem of the files and of all that they refer to, the wiring of scripts included. */
export async function validateCommand(files: string[], options: GlobalOptions & { json?: boolean }, shell: Shell): Promise<number> {
  const from = { fs: diskFiles(), cwd: shell.cwd, published: publishedBy(connectLater(options, shell)) };
  const checked = await Promise.all((files.length === 0 ? ['.'] : files).map((file) => checkModule(file, from)));
  const unique = new Map(checked.flatMap(problemsOf).map((problem) => [JSON.stringify(problem), problem]));
  const diagnostics = [...unique.values()];
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ valid: errors === 0, diagnostics })}\n`);
  else {
    for (const diagnostic of diagnostics) shell.stdout.write(`${harmless(formatDiagnostic(diagnostic))}\n\n`);
    const warnings = diagnostics.length - errors;
    shell.stdout.write(diagnostics.length === 0 ? 'No problems.\n' : `${count(errors, 'error')}, ${count(warnings, 'warning')}.\n`);
  }
  return errors === 0 ? 0 : errorCatalogue.PACELINE_MODULE_INVALID.exit;
}

function problemsOf({ module, diagnostics }: CheckedModule): CheckedModule['diagnostics'] {
  return module === undefined ? diagnostics : [...diagnostics, ...checkWiring(module.deployment).problems];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
