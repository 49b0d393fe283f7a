import type { Client, RunDetail } from '@paceline/api';
import type { ResolvedDeployment } from '@paceline/model';
import { lastWords, outputsOf, paint, themeFor } from '@paceline/door';
import type { Shell } from '../shell.ts';
import { summary, type SummaryContent } from '../view/summary.ts';

export interface ResultOptions {
  deployment: ResolvedDeployment;
  exitCode: number;
  showInstances: SummaryContent['showInstances'];
  json: boolean;
  shell: Shell;
}

/** Says how a run has come out: a summary for people, or one object for programs. */
export async function tellResult(
  client: Client,
  run: RunDetail,
  { deployment, exitCode, json, shell, showInstances }: ResultOptions,
): Promise<void> {
  const [parameters, reports] = await Promise.all([client.parameters.list(run.id), client.reports.list(run.id)]);
  const outputs = outputsOf(parameters, deployment);
  if (json) {
    const values = Object.fromEntries(outputs.map(({ key, value }) => [key, value]));
    shell.stdout.write(`${JSON.stringify({ type: 'result', exitCode, run, outputs: values, reports })}\n`);
    return;
  }
  const words = run.abort === null ? [] : await lastWords(client, run);
  const theme = themeFor(shell, shell.stdout);
  for (const line of summary({ run, outputs, reports, lastWords: words, showInstances })) shell.stdout.write(`${paint(line, theme)}\n`);
}
