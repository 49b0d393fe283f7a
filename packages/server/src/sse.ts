import type { FastifyReply } from 'fastify';
import { streamHeartbeatMs } from '@paceline/api';

/** A reader that is this far behind, in bytes, is cut off; it comes back and reads on from its cursor. */
const maxBacklogBytes = 8 * 1024 * 1024;

/** The writing end of a Server-Sent Events stream. */
export interface EventStream {
  send(event: string, data: unknown, id?: number): void;
  close(): void;
  /** Aborted when the other side is gone. */
  readonly signal: AbortSignal;
}

/** Turns a reply into a stream of events with heartbeats. */
export function openEventStream(reply: FastifyReply): EventStream {
  const gone = new AbortController();
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  const heartbeat = setInterval(() => raw.write(':\n\n'), streamHeartbeatMs);
  const finish = (): void => {
    clearInterval(heartbeat);
    gone.abort();
  };
  raw.on('close', finish);
  raw.on('error', finish);
  return {
    signal: gone.signal,
    send(event, data, id) {
      if (raw.destroyed) return;
      const head = id === undefined ? '' : `id: ${id}\n`;
      raw.write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (raw.writableLength > maxBacklogBytes) raw.destroy();
    },
    close() {
      finish();
      raw.end();
    },
  };
}
