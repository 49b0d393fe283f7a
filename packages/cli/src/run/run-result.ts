import type { Client, RunDetail } from '@paceline/api';
import type { Shell } from '../shell.ts';
import { outputsOf, summary } from '../view/summary.ts';
import { paint, themeFor } from '../view/theme.ts';
import { lastWords } from './last-words.ts';

export interface ResultOptions {
  exitCode: number;
  json: boolean;
  shell: Shell;
}

/** Says how a run has come out: a summary for people, or one object for programs. */
export async function tellResult(client: Client, run: RunDetail, { exitCode, json, shell }: ResultOptions): Promise<void> {
  const [parameters, reports] = await Promise.all([client.parameters.list(run.id), client.reports.list(run.id)]);
  if (json) {
    const outputs = Object.fromEntries(outputsOf(parameters).map(({ key, value }) => [key, value]));
    shell.stdout.write(`${JSON.stringify({ type: 'result', exitCode, run, outputs, reports })}\n`);
    return;
  }
  const words = run.abort === null ? [] : await lastWords(client, run);
  const theme = themeFor(shell, shell.stdout);
  for (const line of summary({ run, parameters, reports, lastWords: words })) shell.stdout.write(`${paint(line, theme)}\n`);
}
