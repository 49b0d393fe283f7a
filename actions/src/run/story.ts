import type { Client, EventView, RunDetail } from '@paceline/api';
import { downloadReport, items, lastWords, outputsOf } from '@paceline/door';
import type { ResolvedDeployment } from '@paceline/model';
import type { RunReport } from '../report/summary.ts';

/** All that is to be told of a run. Reports are downloaded into a folder. */
export async function storyOf(client: Client, run: RunDetail, deployment: ResolvedDeployment, folder: string): Promise<RunReport> {
  const [parameters, events, words, files] = await Promise.all([
    client.parameters.list(run.id),
    eventsOf(client, run.id),
    run.abort === null ? [] : lastWords(client, run),
    fetchReports(client, run.id, folder),
  ]);
  const outputs = outputsOf(parameters, deployment);
  return { run, events, outputs, lastWords: words, reports: files.map(({ name }) => name), now: Date.now() };
}

export async function eventsOf(client: Client, run: string): Promise<EventView[]> {
  const events: EventView[] = [];
  for await (const event of items((cursor) => client.events(run, cursor))) events.push(event);
  return events;
}

/** Downloads what is not there yet. */
export async function fetchReports(client: Client, run: string, folder: string): Promise<{ name: string; path: string }[]> {
  const files = [];
  for (const report of await client.reports.list(run)) {
    files.push({ name: report.name, path: await downloadReport(client, run, report, folder) });
  }
  return files;
}
