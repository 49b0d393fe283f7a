import { error, setFailed } from '@actions/core';
import { harmless } from '@paceline/door';
import { isPacelineError, toError, type Diagnostic } from '@paceline/model';
import { posix } from 'node:path';

/** Ends the step as failed, with annotations where the reason has a place in a file. */
export function fail(thrown: unknown): void {
  const failure = toError(thrown);
  const code = isPacelineError(failure) ? ` [${failure.code}]` : '';
  const hint = isPacelineError(failure) && failure.hint !== undefined ? `\n${failure.hint}` : '';
  for (const diagnostic of diagnosticsOf(failure)) annotate(diagnostic);
  setFailed(harmless(`${failure.message}${code}${hint}`));
  if (!isPacelineError(failure) && process.env['RUNNER_DEBUG'] === '1') console.log(failure.stack);
}

/** The problems in files that an error is about. */
export function diagnosticsOf(failure: Error): Diagnostic[] {
  const found = isPacelineError(failure) ? failure.data['diagnostics'] : undefined;
  return Array.isArray(found) ? (found as Diagnostic[]) : [];
}

/** A problem at its place in a file, as the pages of a commit and of a pull request show it. */
export function annotate({ file, line, column, endLine, endColumn, message, hint, severity }: Diagnostic): void {
  if (severity !== 'error') return;
  error(harmless([message, hint].filter((text) => text !== undefined).join('\n')), {
    title: 'Paceline',
    file: posix.normalize(file),
    startLine: line,
    ...(endLine === undefined ? {} : { endLine }),
    // Columns are only understood within one line.
    ...(endLine !== undefined && endLine !== line ? {} : { startColumn: column }),
    ...(endColumn === undefined || (endLine !== undefined && endLine !== line) ? {} : { endColumn }),
  });
}
