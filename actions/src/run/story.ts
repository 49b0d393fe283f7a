import { warning } from '@actions/core';
import type { Client, EventView, RunDetail } from '@paceline/api';
import { downloadReport, harmlessLine, items, lastWords, outputsOf } from '@paceline/door';
import { toError, type ResolvedDeployment } from '@paceline/model';
import type { RunReport } from '../report/summary.ts';

/** All that is to be told of a run. */
export async function storyOf(client: Client, run: RunDetail, deployment: ResolvedDeployment): Promise<RunReport> {
  const [parameters, events, words, reports] = await Promise.all([
    client.parameters.list(run.id),
    eventsOf(client, run.id),
    run.abort === null ? [] : lastWords(client, run),
    client.reports.list(run.id),
  ]);
  const outputs = outputsOf(parameters, deployment);
  return { run, events, outputs, lastWords: words, reports: reports.map(({ name }) => name), now: Date.now() };
}

export async function eventsOf(client: Client, run: string): Promise<EventView[]> {
  const events: EventView[] = [];
  for await (const event of items((cursor) => client.events(run, cursor))) events.push(event);
  return events;
}

/**
 * Downloads the reports that are not there yet. One that cannot be had, or has no room, is a warning: machines decide what is in them,
 * and how much.
 * @param limit what they may take together, in bytes
 */
export async function fetchReports(client: Client, run: string, folder: string, limit: number): Promise<{ name: string; path: string }[]> {
  const files: { name: string; path: string }[] = [];
  const without = (name: string, why: string): void => warning(harmlessLine(`The report ${name} is not downloaded: ${why}`));
  let room = limit;
  try {
    for (const report of await client.reports.list(run)) {
      const { name, bytes } = report;
      if (bytes > room) {
        without(name, `its ${bytes} bytes are more than is left of \`reports-limit\``);
        continue;
      }
      room -= bytes;
      await downloadReport(client, run, report, folder).then(
        (path) => files.push({ name, path }),
        (error: unknown) => without(name, toError(error).message),
      );
    }
  } catch (error) {
    warning(`The reports are not downloaded: ${toError(error).message}`);
  }
  return files;
}
