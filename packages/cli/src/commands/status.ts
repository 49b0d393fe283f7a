import type { ReportView, RunDetail } from '@paceline/api';
import { dayAndTime, harmlessLine, type Line, paint, themeFor } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import { whichRun } from '../run/which-run.ts';
import type { GlobalOptions, Shell } from '../shell.ts';
import { runTree } from '../view/run-tree.ts';

/** `paceline status`: a run as it is now. */
export async function statusCommand([named]: string[], options: GlobalOptions & { json?: boolean }, shell: Shell): Promise<number> {
  const client = await connect(options, shell);
  const run = await client.runs.get(await whichRun(client, named));
  if (options.json === true) {
    shell.stdout.write(`${JSON.stringify(run)}\n`);
    return 0;
  }
  const theme = themeFor(shell, shell.stdout);
  const columns = shell.stdout.isTTY === true ? shell.stdout.columns : undefined;
  const lines = [...runTree(run, { theme, now: shell.now() }), ...factLines(run, await client.reports.list(run.id))];
  for (const line of lines) shell.stdout.write(`${paint(line, theme, columns)}\n`);
  return 0;
}

function factLines(run: RunDetail, reports: readonly ReportView[]): Line[] {
  const facts: [string, string][] = [
    ['id', run.id],
    ['module', harmlessLine(run.module)],
    ['started', `${dayAndTime(run.createdAt)} by ${harmlessLine(run.createdBy)}`],
  ];
  if (run.endedAt === null) facts.push(['ends', `${dayAndTime(run.expiresAt)} at the latest, keepRunning: ${run.keepRunning}`]);
  else facts.push(['ended', dayAndTime(run.endedAt)]);
  if (run.tags.length > 0) facts.push(['tags', run.tags.map(harmlessLine).join(', ')]);
  if (run.serviceUrl !== null) facts.push(['service', harmlessLine(run.serviceUrl)]);
  for (const { name, disks } of run.instances)
    for (const { device, gib } of disks) facts.push(['disk', `${name}: ${harmlessLine(device)}, ${gib} GiB`]);
  for (const { instance, key, from } of run.waits) facts.push(['waits', `${instance} for ${harmlessLine(key)}, from ${from.join(', ')}`]);
  if (reports.length > 0) facts.push(['reports', String(reports.length)]);
  return [[''], ...facts.map(([name, text]): Line => [['dim', name.padEnd(8)], text])];
}
