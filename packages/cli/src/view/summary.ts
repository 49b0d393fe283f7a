import type { ParameterView, ReportView, RunDetail } from '@paceline/api';
import { globalNames } from '@paceline/model';
import { dayAndTime, elapsed } from './elapsed.ts';
import { harmlessLine } from './harmless.ts';
import type { LogLine } from './log-lines.ts';
import type { Line } from './theme.ts';

export interface SummaryContent {
  run: RunDetail;
  parameters: readonly ParameterView[];
  reports: readonly ReportView[];
  /** The last that the script which aborted the run wrote. */
  lastWords: readonly LogLine[];
}

/** What is to be said of a run that is ready or at its end. */
export function summary({ run, parameters, reports, lastWords }: SummaryContent): Line[] {
  const id = run.id.slice(0, 8);
  const lines: Line[] = [...verdict(run)];
  if (lastWords.length > 0) {
    lines.push([`The last output of ${lastWords[0]?.instance} (${lastWords[0]?.source}):`]);
    for (const { text } of lastWords) lines.push(['  ', ['dim', text]]);
  }
  const outputs = outputsOf(parameters);
  if (outputs.length > 0) lines.push(['Outputs:']);
  for (const { key, value } of outputs) lines.push(['  ', key, ' = ', ['cyan', harmlessLine(value ?? '')]]);
  if (run.serviceUrl !== null) lines.push(['Service: ', ['cyan', harmlessLine(run.serviceUrl)]]);
  if (reports.length > 0) lines.push([`Reports: ${reports.length} (paceline reports ${id} --get DIR)`]);
  if (run.state === 'Ready' && run.outcome === null) {
    lines.push([`The machines run until ${dayAndTime(run.expiresAt)}. To take them down: paceline down ${id}`]);
  }
  return lines;
}

function verdict(run: RunDetail): Line[] {
  const took = elapsed(Date.parse(run.endedAt ?? run.stateSince) - Date.parse(run.createdAt));
  const head: Line =
    run.abort !== null || run.state === 'Aborted'
      ? [['red', `Aborted after ${took}`], ...(run.state === 'Ready' ? ['; the machines are kept'] : [])]
      : [[run.state === 'Cancelled' ? 'yellow' : 'green', run.state], ` after ${took}`];
  if (run.abort === null) return [head];
  return [head, ['  reason: ', harmlessLine(run.abort.reason)], ['  source: ', harmlessLine(run.abort.source)]];
}

/** The parameters of the deployment itself that have a value; those that every run has say nothing new. */
export function outputsOf(parameters: readonly ParameterView[]): ParameterView[] {
  return parameters.filter(({ key, value }) => key.startsWith('ss:') && value !== null && !globalNames.has(key.slice(3)));
}
