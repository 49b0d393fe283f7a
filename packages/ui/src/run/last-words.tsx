import type { LogView } from '@paceline/api';
import { useCallback } from 'react';
import { useLoaded } from '../data/use-loaded.ts';
import { useHost } from '../host.tsx';
import { linesOf } from './log-lines.ts';

const shownLines = 10;
/** So many pieces of output are looked through. */
const tail = 500;

/** What the instance that has aborted a run wrote last. @param culprit undefined when it was none */
export function LastWords({ run, culprit }: { run: string; culprit: string | undefined }) {
  const { client } = useHost();
  const load = useCallback(
    async () => (culprit === undefined ? [] : lastWords(await client.logs(run, { instance: culprit, tail }))),
    [client, run, culprit],
  );
  const { value: lines = [] } = useLoaded(load);
  if (lines.length === 0) return null;
  return (
    <figure className="pl-words">
      <figcaption>Last output of {culprit}</figcaption>
      <pre tabIndex={0}>{lines.join('\n')}</pre>
    </figure>
  );
}

/** The last lines of the script that spoke last, of its standard error if it wrote any. What reports say explains no abort. */
export function lastWords(pieces: readonly LogView[]): string[] {
  const scripts = pieces.filter(({ source }) => !/^\d+-report-/.test(source));
  const errors = scripts.filter(({ stream }) => stream === 'stderr');
  const spoken = errors.length > 0 ? errors : scripts;
  return linesOf(spoken.filter(({ source }) => source === spoken.at(-1)?.source))
    .slice(-shownLines)
    .map(({ text }) => text);
}
