import { isPacelineError, toError } from '@paceline/model';
import { harmless } from '@paceline/door';
import type { Shell } from './shell.ts';

/** What a mistake of our own leaves with (EX_SOFTWARE). */
const ourMistake = 70;

/** Tells people why a command failed. @returns the exit code that programs are told */
export function reportFailure(thrown: unknown, { stderr, env }: Pick<Shell, 'stderr' | 'env'>): number {
  const error = toError(thrown);
  const known = isPacelineError(error);
  const [first = '', ...rest] = harmless(error.message).split('\n');
  stderr.write(`${[`error: ${first}${known ? ` [${error.code}]` : ''}`, ...rest].join('\n')}\n`);
  if (known && error.hint !== undefined) stderr.write(`hint: ${harmless(error.hint)}\n`);
  if (!known) stderr.write('hint: This is a mistake of paceline; PACELINE_DEBUG=1 shows where.\n');
  if (env['PACELINE_DEBUG']) {
    for (let at: unknown = error; at instanceof Error; at = at.cause) stderr.write(`${harmless(at.stack ?? String(at))}\n`);
  }
  return known ? error.exitCode : ourMistake;
}
