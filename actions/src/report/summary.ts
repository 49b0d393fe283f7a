import type { EventView, InstanceView, ParameterView, RunDetail } from '@paceline/api';
import { dayAndTime, duration, interestOf, statusOf, type LogLine } from '@paceline/door';
import { costLine } from './cost.ts';
import { documentOf, type Section } from './document.ts';
import { code, codeBlock, plain, table } from './markdown.ts';
import { remains } from './remains.ts';
import { timeline } from './timeline.ts';

/** GitHub drops a summary that is longer, whole. */
const mostBytes = 1024 * 1024;
/** What the end of a run may take: the step of `run` writes it below the rest. */
const endingBytes = 16 * 1024;
export const summaryBytes = mostBytes - endingBytes;
/** A comment has less room. */
export const endingCommentBytes = 5000;

export interface RunReport {
  run: RunDetail;
  events: readonly EventView[];
  outputs: readonly ParameterView[];
  reports: readonly string[];
  lastWords: readonly LogLine[];
  /** Milliseconds since the epoch. */
  now: number;
}

/** What post found out. */
export interface Ending {
  /** Why the machines are kept, if they are. */
  kept: string | undefined;
  /** What the clouds still show of the run; undefined when they could not be asked. */
  left: readonly string[] | undefined;
  /** The address of the artifact with the reports. */
  artifactUrl: string | undefined;
}

const shownInstances = 500;
const shownOutputs = 200;
const longestValue = 500;

/** The page that a step leaves behind: how the run came out, its machines, when what happened, what it cost. */
export function runSummary(report: RunReport, bytes = summaryBytes): string {
  const { run, events, lastWords, now } = report;
  const sections: Section[] = [
    { text: `## ${sign(run)} ${plain(run.name)}\n\n${verdict(run)}`, worth: 10 },
    { text: abortText(run, lastWords), worth: 9 },
    { text: outputTable(report.outputs), worth: 6 },
    { text: instanceTable(run.instances), worth: 5 },
    { text: pictureOf(events, now), worth: 3 },
    { text: costLine(run, events, now), worth: 7 },
    { text: reportList(report.reports), worth: 4 },
  ];
  return documentOf(sections, bytes);
}

/** What post adds: whether anything is left, what it has cost, and where the reports are. */
export function endingSummary(
  { run, events, now }: Pick<RunReport, 'run' | 'events' | 'now'>,
  ending: Ending,
  bytes = endingBytes,
): string {
  const sections: Section[] = [
    { text: `### ${plain(run.name)}: ${run.state}`, worth: 10 },
    { text: abortText(run, []), worth: 8 },
    { text: endingLine(run, ending), worth: 9 },
    { text: costLine(run, events, now), worth: 6 },
    { text: ending.artifactUrl === undefined ? '' : `[Reports](${ending.artifactUrl})`, worth: 7 },
  ];
  return documentOf(sections, bytes);
}

/** The verdict in one line. */
export function endingLine(run: Pick<RunDetail, 'expiresAt' | 'endedAt' | 'state' | 'instances'>, { kept, left }: Ending): string {
  const { expiresAt } = run;
  if (kept !== undefined) return `The machines are kept: ${kept}. They end by themselves at ${dayAndTime(expiresAt)}.`;
  if (run.endedAt === null) {
    const there = [...remains(run), ...(left ?? [])];
    return `The run has not ended, it is still ${run.state}. Not known to be gone: ${named(there) || 'nothing that has a name'}. Machines end by themselves at ${dayAndTime(expiresAt)}.`;
  }
  if (left === undefined) return `The cloud could not be asked what is left. What is, ends by itself at ${dayAndTime(expiresAt)}.`;
  if (left.length === 0) return 'Nothing is left: the listing of the cloud shows nothing of this run.';
  return `Left on the cloud: ${named(left)}. Machines end by themselves at ${dayAndTime(expiresAt)}.`;
}

const shownThings = 50;

function named(things: readonly string[]): string {
  const more = things.length - shownThings;
  return `${things.slice(0, shownThings).map(code).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function sign({ abort, state }: RunDetail): string {
  if (abort !== null || state === 'Aborted') return '❌';
  return state === 'Ready' || state === 'Done' ? '✅' : state === 'Cancelled' ? '🚫' : '⏳';
}

function verdict({ id, state, createdAt, endedAt, stateSince, serviceUrl, abort }: RunDetail): string {
  const took = duration(Date.parse(endedAt ?? stateSince) - Date.parse(createdAt));
  const lines = [`**${abort === null ? state : 'Aborted'}** after ${took}, run ${code(id)}.`];
  if (serviceUrl !== null)
    lines.push(`Service: ${/^https?:\/\/[^\s<>()[\]"'`|]+$/.test(serviceUrl) ? `<${serviceUrl}>` : code(serviceUrl)}`);
  return lines.join('\n\n');
}

function abortText({ abort }: RunDetail, lastWords: readonly LogLine[]): string {
  if (abort === null) return '';
  const [first] = lastWords;
  const words =
    first === undefined
      ? []
      : [`The last output of ${plain(first.instance)} (${plain(first.source)}):`, codeBlock(lastWords.map(({ text }) => text))];
  return [`**Reason:** ${code(abort.reason)}`, `**Source:** ${code(abort.source)}`, ...words].join('\n\n');
}

function outputTable(outputs: readonly ParameterView[]): string {
  if (outputs.length === 0) return '';
  const rows = outputs.slice(0, shownOutputs).map(({ key, value }) => [code(key), code(shortened(value ?? ''))]);
  const more = outputs.length - rows.length;
  return `### Outputs\n\n${table(['Parameter', 'Value'], rows)}${more > 0 ? `\n\n_and ${more} more_` : ''}`;
}

function shortened(value: string): string {
  return value.length <= longestValue ? value : `${value.slice(0, longestValue)}… (${value.length} characters)`;
}

function instanceTable(instances: readonly InstanceView[]): string {
  const shown = instances.toSorted((a, b) => interestOf(b) - interestOf(a)).slice(0, shownInstances);
  const rows = shown.map((instance) => [
    plain(instance.name),
    plain(statusOf(instance).word),
    code(instance.address ?? ''),
    plain(instance.cloud),
    code(instance.machineId ?? ''),
    code(shortened(instance.abort ?? instance.fault ?? instance.message)),
  ]);
  const counts = [...Map.groupBy(instances, (instance) => statusOf(instance).word)].map(([word, some]) => `${some.length} ${plain(word)}`);
  const made = `### Instances\n\n${table(['Instance', 'Status', 'Address', 'Cloud', 'Machine', 'Message'], rows)}`;
  if (instances.length === 0) return '';
  const more = instances.length - shown.length;
  const whole = `${made}${more > 0 ? `\n\n_and ${more} more_` : ''}`;
  return instances.length > 20
    ? `<details><summary>${instances.length} instances: ${counts.join(', ')}</summary>\n\n${whole}\n\n</details>`
    : whole;
}

function pictureOf(events: readonly EventView[], now: number): string {
  const picture = timeline(events, now);
  return picture === '' ? '' : `### Timeline\n\n${picture}`;
}

function reportList(reports: readonly string[]): string {
  return reports.length === 0 ? '' : `### Reports\n\n${reports.map((name) => `- ${code(name)}`).join('\n')}`;
}
