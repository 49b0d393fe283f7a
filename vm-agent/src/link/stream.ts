import { type StreamEvents, streamHeartbeatMs } from '@paceline/api/agent';
import type { Backoff } from '../backoff.ts';
import { eventParser } from './events.ts';
import { type Engine, HttpError, isFinal } from './http.ts';

/** An event that is not among them is left alone. */
export type StreamHandlers = { [E in keyof StreamEvents]: (event: StreamEvents[E]) => void } & {
  /** The connection broke; everything may have changed when the next `hello` comes. */
  down(): void;
};

export interface StreamOptions {
  engine: Engine;
  handlers: StreamHandlers;
  backoff: Backoff;
  log: (line: string) => void;
  signal: AbortSignal;
}

/** Follow the engine's stream, over and over, until the signal. Throws an `HttpError` when the engine will not have us any more. */
export async function followStream(options: StreamOptions): Promise<void> {
  const { backoff, handlers, log, signal } = options;
  let said = '';
  while (!signal.aborted) {
    let asked = 0;
    try {
      await connection(options, () => (said = ''));
    } catch (error) {
      if (isFinal(error)) throw error;
      if (signal.aborted) return;
      const { message } = error as Error;
      // An engine that is away for a day is worth one line, not ten thousand.
      if (message !== said) log(`The link to the engine is down: ${message}`);
      said = message;
      asked = error instanceof HttpError ? error.retryAfter : 0;
    } finally {
      handlers.down();
    }
    if (!signal.aborted) await backoff.wait(asked, signal);
  }
}

async function connection({ engine, handlers, backoff, signal }: StreamOptions, up: () => void): Promise<void> {
  const response = await engine.open({
    method: 'GET',
    path: '/agent/stream',
    headers: { accept: 'text/event-stream', 'cache-control': 'no-cache' },
    timeout: 3 * streamHeartbeatMs,
    signal,
  });
  const feed = eventParser((event, data) => {
    if (!(event in handlers) || event === 'down') return;
    if (event === 'hello') {
      backoff.reset();
      up();
    }
    handlers[event as keyof StreamEvents](JSON.parse(data) as never);
  });
  for await (const chunk of response as AsyncIterable<Buffer>) feed(chunk);
  throw new Error('the engine closed it');
}
