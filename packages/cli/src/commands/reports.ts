import { join, resolve } from 'node:path';
import type { Client, ReportView } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { dayAndTime, downloadReport } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { extractArchive, listArchive } from '../reports/report-archive.ts';
import { whichRun } from '../run/which-run.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';

export interface ReportsOptions extends GlobalOptions {
  get?: string;
  extract?: boolean;
  show?: string;
  json?: boolean;
}

/** `paceline reports`: lists them, downloads them, or tells what is in one. */
export async function reportsCommand([named]: string[], options: ReportsOptions, shell: Shell): Promise<number> {
  if (options.extract === true && options.get === undefined)
    throw new PacelineError('PACELINE_REQUEST_INVALID', '--extract needs --get DIR');
  const client = await connect(options, shell);
  const { id } = await client.runs.get(await whichRun(client, named));
  const print = (line: string): void => void shell.stdout.write(`${line}\n`);
  if (options.show !== undefined) {
    const entries = await listArchive(options.show, client.reports.download(id, options.show));
    if (options.json === true) print(JSON.stringify({ entries }));
    else
      for (const { type, path, bytes } of entries)
        print(`${String(bytes).padStart(12)}  ${path}${type === 'File' || type === 'Directory' ? '' : ` (${type})`}`);
    return 0;
  }
  const reports = await client.reports.list(id);
  if (options.get !== undefined) {
    const files = await downloadAll(client, id, reports, { ...options, get: resolve(shell.cwd, options.get) }, shell);
    if (options.json === true) print(JSON.stringify({ files }));
    else files.forEach(print);
  } else if (options.json === true) print(JSON.stringify({ reports }));
  else for (const { name, bytes, at } of reports) print(`${String(bytes).padStart(12)}  ${dayAndTime(at)}  ${name}`);
  return 0;
}

async function downloadAll(
  client: Client,
  run: string,
  reports: readonly ReportView[],
  { get, extract }: ReportsOptions & { get: string },
  shell: Shell,
): Promise<string[]> {
  const files: string[] = [];
  for (const report of reports) {
    const path = await downloadReport(client, run, report, join(get, run));
    files.push(path);
    if (extract !== true) continue;
    const skipped = await extractArchive(path, path.replace(/\.tgz$/, ''));
    if (skipped.length > 0)
      say(
        shell,
        `${report.name}: left packed, for they are no plain files: ${skipped.slice(0, 5).join(', ')}${skipped.length > 5 ? ', …' : ''}`,
      );
  }
  return files;
}
