import type { Client, RunDetail } from '@paceline/api';
import { pages } from './pages.ts';
import { LogLines, type LogLine } from '../view/log-lines.ts';

const shownLines = 10;

/**
 * The last lines that the instance which aborted the run wrote to its standard error, or else to its standard output.
 * None when the abort did not come from an instance.
 */
export async function lastWords(client: Client, { id, abort, instances }: RunDetail): Promise<LogLine[]> {
  const culprit = instances.find(({ name }) => abort?.source === `${name}:abort`);
  if (culprit === undefined) return [];
  let kept: LogLine[] = [];
  const lines = new LogLines();
  const keep = (found: LogLine[]): void => void (kept = [...kept, ...found]);
  for await (const page of pages((cursor) => client.logs(id, { ...cursor, instance: culprit.name }))) {
    // Reports are made after the abort; what their script says does not explain it.
    for (const piece of page) if (piece.instance === culprit.name && !/^\d+-report-/.test(piece.source)) keep(lines.push(piece));
    kept = lastOfEach(kept);
  }
  keep(lines.flush());
  const spoken = lastOfEach(kept);
  const errors = spoken.filter(({ stream }) => stream === 'stderr');
  return errors.length > 0 ? errors : spoken;
}

/** The last lines of the source that wrote last, by stream. */
function lastOfEach(lines: readonly LogLine[]): LogLine[] {
  const byStream = [...Map.groupBy(lines, ({ stream }) => stream).values()];
  return byStream.flatMap((some) => some.filter(({ source }) => source === some.at(-1)?.source).slice(-shownLines));
}
