import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { streamHeartbeatMs } from '@paceline/api';

/** A reader that is this far behind, in bytes, with those who cannot wait for it, is cut off; it comes back and is told anew. */
const maxBacklogBytes = 8 * 1024 * 1024;

/** The writing end of a Server-Sent Events stream. */
export interface EventStream {
  /** For those who cannot wait: a reader that is 8 MiB behind is cut off. */
  send(event: string, data: unknown): void;
  /** The same, of data that is JSON already. */
  sendText(event: string, json: string): void;
  /**
   * For those who can wait: resolves when the reader has room for more, however long that takes, or is gone. What is written
   * after that goes nowhere.
   */
  write(event: string, data: unknown, id?: number): Promise<void>;
  close(): void;
  /** Aborted when the other side is gone. */
  readonly signal: AbortSignal;
}

/** Whether a stream of events is asked for, rather than a page. */
export function wantsStream({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/event-stream') ?? false;
}

/** Turns a reply into a stream of events with heartbeats. */
export function openEventStream(reply: FastifyReply): EventStream {
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    // Who compresses on the way keeps what comes until there is enough of it.
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  return eventsTo(raw);
}

/** A stream of events with heartbeats into whatever takes bytes. */
export function eventsTo(raw: Writable): EventStream {
  const gone = new AbortController();
  const { signal } = gone;
  const heartbeat = setInterval(() => {
    // Whoever has not read the last one yet needs no other.
    if (!raw.writableNeedDrain) raw.write(':\n\n');
  }, streamHeartbeatMs);
  const finish = (): void => {
    clearInterval(heartbeat);
    gone.abort();
  };
  raw.on('close', finish);
  raw.on('error', finish);
  const push = (bytes: Buffer | string): void => {
    if (raw.destroyed) return;
    raw.write(bytes);
    if (raw.writableLength > maxBacklogBytes) raw.destroy();
  };
  return {
    signal,
    send: (event, data) => push(shared(event, data)),
    sendText: (event, json) => push(frame(event, json)),
    async write(event, data, id) {
      if (signal.aborted || raw.write(frame(event, JSON.stringify(data), id))) return;
      await once(raw, 'drain', { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    },
    close() {
      finish();
      raw.end();
    },
  };
}

let newest: { event: string; data: unknown; bytes: Buffer } | undefined;

/** What thousands are told at once is written out once. */
function shared(event: string, data: unknown): Buffer {
  if (newest?.data === data && newest?.event === event) return newest.bytes;
  const bytes = Buffer.from(frame(event, JSON.stringify(data)));
  newest = { event, data, bytes };
  return bytes;
}

function frame(event: string, json: string, id?: number): string {
  const head = id === undefined ? '' : `id: ${id}\n`;
  return `${head}event: ${event}\ndata: ${json}\n\n`;
}
