import { once } from 'node:events';
import { streamHeartbeatMs, type Client, type RunSummary } from '@paceline/api';
import type { Response } from 'express';
import { streamMs } from './forward.ts';

/** Streams the runs that change and that somebody may see, as fast as they read. */
export async function streamRuns(
  client: Pick<Client, 'followRuns'>,
  response: Response,
  isSeen: (run: RunSummary) => boolean,
): Promise<void> {
  const left = new AbortController();
  response.on('close', () => left.abort());
  response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store, no-transform' });
  response.write(': hello\n\n');
  const beat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(': still here\n\n');
  }, streamHeartbeatMs);
  const over = setTimeout(() => left.abort(), streamMs);
  try {
    for await (const change of client.followRuns({ signal: left.signal, onCut: () => left.abort() })) {
      if (!isSeen(change.run) || response.write(`id: ${change.seq}\nevent: run\ndata: ${JSON.stringify(change)}\n\n`)) continue;
      await once(response, 'drain', { signal: left.signal }).catch(() => {});
    }
  } finally {
    clearInterval(beat);
    clearTimeout(over);
    // Not an end that says so: the page opens it again, and loads what it has missed.
    response.destroy();
  }
}
