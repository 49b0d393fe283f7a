import type { RunSummary } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { dayAndTime, elapsed, harmlessLine, padTo, widthOf } from '@paceline/door';
import { connect } from '../connection/connect.ts';
import type { GlobalOptions, Shell } from '../shell.ts';

export interface ListOptions extends GlobalOptions {
  active?: boolean;
  limit: string;
  json?: boolean;
}

/** The most that a server gives at once. */
const pageSize = 500;

/** `paceline list`: runs, newest first. */
export async function listCommand(_args: string[], options: ListOptions, shell: Shell): Promise<number> {
  if (!/^[1-9]\d{0,5}$/.test(options.limit))
    throw new PacelineError('PACELINE_REQUEST_INVALID', `--limit: '${options.limit}' is not a number of runs`);
  const wanted = Number(options.limit);
  const client = await connect(options, shell);
  const runs: RunSummary[] = [];
  while (runs.length < wanted) {
    const limit = Math.min(pageSize, wanted - runs.length);
    const page = await client.runs.list({ active: options.active === true, limit, offset: runs.length });
    runs.push(...page);
    if (page.length < limit) break;
  }
  if (options.json === true) shell.stdout.write(`${JSON.stringify({ runs })}\n`);
  else for (const line of table(runs, shell.now())) shell.stdout.write(`${line}\n`);
  return 0;
}

function table(runs: readonly RunSummary[], now: number): string[] {
  const rows = runs.map(({ id, name, state, createdAt, endedAt, tags }) => [
    id.slice(0, 8),
    harmlessLine(name),
    state,
    dayAndTime(createdAt),
    elapsed((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(createdAt)),
    tags.map(harmlessLine).join(','),
  ]);
  const widths = Array.from({ length: 5 }, (_, column) => Math.max(0, ...rows.map((row) => widthOf(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => padTo(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
