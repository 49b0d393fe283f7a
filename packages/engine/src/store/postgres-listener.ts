import { setTimeout as delay } from 'node:timers/promises';
import { escapeIdentifier, type Client } from 'pg';
import type { Listener } from './database.ts';
import { drop } from './postgres-connections.ts';
import { decodeText } from './stored-text.ts';

export interface ListenOptions {
  channel: string;
  /** A new connection, ready for use. */
  connect: () => Promise<Client>;
  /** How often a quiet connection is asked whether it is still there, in milliseconds. */
  pingEveryMs: number;
  /** How long an answer may take, in milliseconds. */
  answerMs: number;
}

const firstRetryMs = 100;
const lastRetryMs = 5000;

/**
 * Keeps one connection that listens, and tells the listener of the gap whenever it had to be made anew.
 * @returns what ends it
 * @throws whatever keeps it from being made the first time
 */
export async function keepListening(listener: Listener, options: ListenOptions): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const first = await subscribe(listener, options);
  const kept = keep(first, listener, options, stop.signal);
  return async () => {
    stop.abort();
    await kept;
  };
}

async function keep(first: Client, listener: Listener, options: ListenOptions, stop: AbortSignal): Promise<void> {
  for (let client: Client | undefined = first; client !== undefined;) {
    await lost(client, options, stop);
    client = await reconnect(listener, options, stop);
    if (client !== undefined && !stop.aborted) listener.gap();
  }
}

async function subscribe(listener: Listener, { channel, connect, answerMs }: ListenOptions): Promise<Client> {
  const client = await connect();
  client.on('notification', ({ payload = '' }) => listener.message(decodeText(payload)));
  try {
    await client.query(timed(`LISTEN ${escapeIdentifier(channel)}`, answerMs));
  } catch (error) {
    drop(client);
    throw error;
  }
  return client;
}

async function reconnect(listener: Listener, options: ListenOptions, stop: AbortSignal): Promise<Client | undefined> {
  for (let waitMs = firstRetryMs; !stop.aborted; waitMs = Math.min(2 * waitMs, lastRetryMs)) {
    try {
      return await subscribe(listener, options);
    } catch {
      await delay(waitMs, undefined, { signal: stop }).catch(() => {});
    }
  }
  return undefined;
}

/** Resolves when the connection is gone: ended by the other side, silent for too long, or not wanted any more. */
async function lost(client: Client, { pingEveryMs, answerMs }: ListenOptions, stop: AbortSignal): Promise<void> {
  const end = (): void => drop(client);
  let timer: NodeJS.Timeout | undefined;
  const ping = (): void => {
    timer = setTimeout(() => void client.query(timed('SELECT 1', answerMs)).then(ping, end), pingEveryMs);
  };
  const gone = new Promise<void>((resolve) => client.once('end', resolve));
  stop.addEventListener('abort', end);
  if (stop.aborted) end();
  else ping();
  await gone;
  stop.removeEventListener('abort', end);
  clearTimeout(timer);
}

/** A query that fails when its answer is not there in time. */
function timed(text: string, answerMs: number): { text: string; query_timeout: number } {
  return { text, query_timeout: answerMs };
}
