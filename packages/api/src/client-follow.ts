import { PacelineError } from '@paceline/model';
import type * as z from 'zod';
import { streamHeartbeatMs } from './agent.ts';
import { isPassing } from './client-errors.ts';
import { anySignal, bytesOf, decode, send, type Endpoint, type RequestOptions } from './client-request.ts';
import { pause } from './pause.ts';
import { SseParser } from './sse-parser.ts';

export interface FollowOptions {
  /** The last item that is known already; 0 for everything. */
  after?: number;
  signal?: AbortSignal;
  /** Called when the stream was cut and is about to be opened again. */
  onCut?: (error: PacelineError) => void;
}

/** How long a stream is tried to be opened again before that is an error, in milliseconds. */
export interface Patience {
  giveUpMs: number;
  firstPauseMs: number;
  longestPauseMs: number;
}

export const defaultPatience: Patience = { giveUpMs: 10 * 60_000, firstPauseMs: 100, longestPauseMs: 5000 };

/**
 * Follows a stream of numbered items until the server says that it is at its end, or the signal is aborted. A cut link is
 * restored, and no item comes twice or is left out.
 * @throws PACELINE_UNREACHABLE when there is no link for too long, and whatever the server refuses the request with
 */
export async function* follow<T extends { seq: number }>(
  endpoint: Endpoint,
  path: string,
  schema: z.ZodType<T>,
  options: FollowOptions,
  patience: Patience,
  filter: RequestOptions['query'] = {},
): AsyncGenerator<T> {
  const signal = anySignal(options.signal, endpoint.signal);
  let last = options.after ?? 0;
  /** When the trouble began. A reader that takes its time is none. */
  let since: number | undefined;
  let wait = patience.firstPauseMs;
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', 'last-event-id': String(last) };
      const response = await send(endpoint, path, { query: { ...filter, after: last }, headers, signal });
      const parser = new SseParser();
      for await (const bytes of bytesOf(endpoint, response, 3 * streamHeartbeatMs, signal)) {
        since = undefined;
        wait = patience.firstPauseMs;
        for (const { event, data } of parser.push(bytes)) {
          if (event === 'end') return;
          const item = decode(endpoint, path, schema, data);
          if (item.seq <= last) continue;
          last = item.seq;
          yield item;
        }
      }
      throw new PacelineError('PACELINE_UNREACHABLE', `${endpoint.url} has cut the stream`);
    } catch (error) {
      if (signal.aborted) return;
      since ??= performance.now();
      if (!isPassing(error) || performance.now() - since > patience.giveUpMs) throw error;
      options.onCut?.(error);
    }
    // Many clients that lose one server should not come back in step.
    await pause(wait * (0.5 + Math.random() / 2), signal);
    wait = Math.min(wait * 2, patience.longestPauseMs);
  }
}
