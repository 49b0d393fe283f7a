import type { RunSummary } from '@paceline/api';
import { useEffect, useMemo, useState } from 'react';
import { useHost } from '../host.tsx';
import { Gather } from './gather.ts';
import { useVisible } from './use-visible.ts';

const intervalMs = 200;

/**
 * A list of runs that goes on as they change, as long as the page is seen.
 * @param loaded undefined as long as it is not there
 * @param reload called when changes may be missing
 */
export function useLiveRuns(loaded: readonly RunSummary[] | undefined, reload: () => void): readonly RunSummary[] | undefined {
  const { client } = useHost();
  const visible = useVisible();
  const [changed, setChanged] = useState<ReadonlyMap<string, RunSummary>>(new Map());
  useEffect(() => {
    if (!visible) return undefined;
    const stop = new AbortController();
    const gather = new Gather<RunSummary>((runs) => {
      setChanged((before) => new Map([...before, ...runs.map((run) => [run.id, run] as const)]));
    }, intervalMs);
    const watch = async (): Promise<void> => {
      for await (const { run } of client.followRuns({ signal: stop.signal, onCut: reload })) gather.add(run);
    };
    // Without it the list is as it was loaded.
    watch().catch(() => {});
    return () => {
      stop.abort();
      gather.close();
    };
  }, [client, reload, visible]);
  return useMemo(() => loaded && merged(loaded, changed), [loaded, changed]);
}

/** What was loaded, with the changes since; new runs come first. */
export function merged(loaded: readonly RunSummary[], changed: ReadonlyMap<string, RunSummary>): RunSummary[] {
  const known = new Set(loaded.map(({ id }) => id));
  const fresh = [...changed.values()].filter(({ id }) => !known.has(id)).toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  // What was loaded last may be newer than a change, but never once the run has ended.
  return [...fresh, ...loaded.map((run) => (run.endedAt === null ? (changed.get(run.id) ?? run) : run))];
}
