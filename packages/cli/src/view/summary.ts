import type { ParameterView, ReportView, RunDetail } from '@paceline/api';
import { columnsOf, dayAndTime, duration, harmlessLine, instanceLine, type Line, type LogLine } from '@paceline/door';

export interface SummaryContent {
  run: RunDetail;
  /** Those of `outputsOf`. */
  outputs: readonly ParameterView[];
  reports: readonly ReportView[];
  /** The last that the script which aborted the run wrote. */
  lastWords: readonly LogLine[];
  /** Whether the instances have still to be told: a tree on the terminal shows them already. */
  showInstances: boolean;
}

const shownOutputs = 20;
const shownInstances = 20;

/** What is to be said of a run that is ready or at its end. */
export function summary({ run, outputs, reports, lastWords, showInstances }: SummaryContent): Line[] {
  const id = run.id.slice(0, 8);
  const lines: Line[] = [...verdict(run)];
  if (lastWords.length > 0) {
    lines.push([`The last output of ${lastWords[0]?.instance} (${lastWords[0]?.source}):`]);
    for (const { text } of lastWords) lines.push(['  ', ['dim', text]]);
  }
  if (showInstances && run.state === 'Ready') lines.push(...instanceLines(run));
  if (outputs.length > 0) lines.push(['Outputs:']);
  for (const { key, value } of outputs.slice(0, shownOutputs)) lines.push(['  ', key, ' = ', ['cyan', harmlessLine(value ?? '')]]);
  if (outputs.length > shownOutputs) lines.push([['dim', `  and ${outputs.length - shownOutputs} more`]]);
  if (run.serviceUrl !== null && run.state === 'Ready') lines.push(['Service: ', ['cyan', harmlessLine(run.serviceUrl)]]);
  if (reports.length > 0) lines.push([`Reports: ${reports.length} (paceline reports ${id} --get DIR)`]);
  if (run.state === 'Ready' && run.outcome === null) {
    lines.push([`The machines run until ${dayAndTime(run.expiresAt)}. To take them down: paceline down ${id}`]);
  }
  return lines;
}

function instanceLines({ instances }: RunDetail): Line[] {
  const shown = instances.slice(0, shownInstances);
  const columns = columnsOf(shown);
  const rest = instances.length - shown.length;
  return [
    ['Instances:'],
    ...shown.map((instance): Line => ['  ', ...instanceLine(instance, columns)]),
    ...(rest > 0 ? [[['dim', `  and ${rest} more`]] satisfies Line] : []),
  ];
}

function verdict(run: RunDetail): Line[] {
  const took = duration(Date.parse(run.endedAt ?? run.stateSince) - Date.parse(run.createdAt));
  const head: Line =
    run.abort !== null || run.state === 'Aborted'
      ? [['red', `Aborted after ${took}`], ...(run.state === 'Ready' ? ['; the machines are kept'] : [])]
      : [[run.state === 'Cancelled' ? 'yellow' : 'green', run.state], ` after ${took}`];
  if (run.abort === null) return [head];
  return [head, ['  reason: ', harmlessLine(run.abort.reason)], ['  source: ', harmlessLine(run.abort.source)]];
}
