import { useEffect, useRef, useState } from 'react';
import { Gather } from './gather.ts';
import { useVisible } from './use-visible.ts';

const intervalMs = 100;

export interface Feed<T> {
  items: readonly T[];
  /** The run has ended: nothing more will come. */
  ended: boolean;
  error: Error | undefined;
}

type Follow<T> = (options: { after: number; signal: AbortSignal }) => AsyncIterable<T>;

/**
 * Follows a stream of numbered items for as long as the page is seen, and goes on where it was.
 * @param follow keep it by `useCallback`; another one begins anew, and undefined waits
 * @param most only the newest so many are kept
 */
export function useFeed<T extends { seq: number }>(follow: Follow<T> | undefined, most: number): Feed<T> {
  const visible = useVisible();
  const [feed, setFeed] = useState<Feed<T>>({ items: [], ended: false, error: undefined });
  const cursor = useRef<{ follow: Follow<T> | undefined; last: number }>({ follow, last: 0 });
  useEffect(() => {
    if (!visible || follow === undefined) return undefined;
    if (cursor.current.follow !== follow) {
      cursor.current = { follow, last: 0 };
      setFeed({ items: [], ended: false, error: undefined });
    }
    const stop = new AbortController();
    const gather = new Gather<T>((items) => {
      cursor.current.last = items.at(-1)?.seq ?? cursor.current.last;
      setFeed((before) => ({ ...before, items: [...before.items, ...items].slice(-most) }));
    }, intervalMs);
    const read = async (): Promise<void> => {
      try {
        for await (const item of follow({ after: cursor.current.last, signal: stop.signal })) gather.add(item);
        if (!stop.signal.aborted) setFeed((before) => ({ ...before, ended: true }));
      } catch (error) {
        if (!stop.signal.aborted) setFeed((before) => ({ ...before, error: error instanceof Error ? error : new Error(String(error)) }));
      }
    };
    void read();
    return () => {
      stop.abort();
      gather.close();
    };
  }, [follow, most, visible]);
  return feed;
}
