import type { EventView, RunDetail } from '@paceline/api';
import { useCallback, useEffect, useRef } from 'react';
import { useHost } from '../host.tsx';
import { useFeed, type Feed } from './use-feed.ts';
import { useLoaded } from './use-loaded.ts';

/** So many events of a run are kept on the page. */
const mostEvents = 5000;
const pauseMs = 250;

export interface LiveRun {
  run: RunDetail | undefined;
  error: Error | undefined;
  events: Feed<EventView>;
  /** To be called after something was done with it. */
  reload: () => void;
}

/** A run as it is now: its events say when to look again, and that is done no faster than the server answers. */
export function useRun(id: string): LiveRun {
  const { client } = useHost();
  const busyMs = useRef(0);
  const load = useCallback(async () => {
    const begun = performance.now();
    const run = await client.runs.get(id);
    busyMs.current = performance.now() - begun;
    return run;
  }, [client, id]);
  const { value: run, error, reload } = useLoaded(load);
  const follow = useCallback((options: { after: number; signal: AbortSignal }) => client.followEvents(id, options), [client, id]);
  // What it is now comes first: a run of a thousand machines has tens of thousands of events, and they would be in its way.
  const events = useFeed(run === undefined ? undefined : follow, mostEvents);
  const newest = events.items.at(-1)?.seq ?? 0;
  const known = run?.lastEvent ?? 0;
  const behind = run !== undefined && (newest > known || (events.ended && run.endedAt === null));
  // A flood of events is one look, and looking takes at most a fifth of the time.
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => {
    if (!behind || timer.current !== undefined) return;
    timer.current = setTimeout(
      () => {
        timer.current = undefined;
        reload();
      },
      Math.max(pauseMs, 4 * busyMs.current),
    );
  }, [behind, newest, known, reload]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return { run, error, events, reload };
}
