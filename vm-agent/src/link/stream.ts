import type { Socket } from 'node:net';
import { agentProtocol, type LinkEvents, type OpResult, type OpsRequest, type StreamEvents, streamHeartbeatMs } from '@paceline/api/agent';
import type { Backoff } from '../backoff.ts';
import { eventParser } from './events.ts';
import { type Engine, HttpError, isFinal, silence } from './http.ts';

/** Says something on the connection on which the events come. */
export type Say = (request: OpsRequest, signal: AbortSignal) => Promise<OpResult[]>;

/** An event that is not among them is left alone. */
export type StreamHandlers = { [E in keyof StreamEvents]: (event: StreamEvents[E]) => void };

export interface StreamOptions {
  engine: Engine;
  handlers: StreamHandlers;
  /** A connection is there. Without `say`, what the agent says goes by requests of its own. */
  up: (say: Say | undefined) => void;
  /** The connection broke; everything may have changed when the next `hello` comes. */
  down: () => void;
  backoff: Backoff;
  log: (line: string) => void;
  signal: AbortSignal;
}

/** How long the engine may take to answer, in milliseconds. */
const answerTimeout = 60_000;

/** Follow the engine's stream, over and over, until the signal. Throws an `HttpError` when the engine will not have us any more. */
export async function followStream(options: StreamOptions): Promise<void> {
  const { backoff, down, log, signal } = options;
  let said = '';
  /** The connection is to be for both ways, until it turns out that what is in between does not let us. */
  let both = true;
  let proved = false;
  while (!signal.aborted) {
    let asked = 0;
    try {
      await connection(options, both, () => {
        said = '';
        proved = true;
      });
    } catch (error) {
      // Somebody in between may refuse the upgrade in the engine's place.
      if (isFinal(error) && (proved || !both)) throw error;
      if (signal.aborted) return;
      const { message, code } = error as NodeJS.ErrnoException;
      if (!proved && code !== 'ECONNREFUSED' && code !== 'ENOENT') both = !both;
      // An engine that is away for a day is worth one line, not ten thousand.
      if (message !== said) log(`The link to the engine is down: ${message}`);
      said = message;
      asked = error instanceof HttpError ? error.retryAfter : 0;
    } finally {
      down();
    }
    if (!signal.aborted) await backoff.wait(asked, signal);
  }
}

async function connection({ engine, handlers, backoff, signal, up }: StreamOptions, both: boolean, greeted: () => void): Promise<void> {
  const response = await engine.open({
    method: 'GET',
    path: '/agent/stream',
    headers: both ? { connection: 'upgrade', upgrade: agentProtocol } : {},
    timeout: 3 * streamHeartbeatMs,
    signal,
  });
  const socket = response.statusCode === 101 ? response.socket : undefined;
  const known: Partial<StreamHandlers & Answers> = { ...handlers };
  if (socket) signal.addEventListener('abort', () => socket.destroy(), { once: true });
  up(socket && speaker(socket, known));
  const feed = eventParser((event, data) => {
    if (event === 'hello') {
      backoff.reset();
      greeted();
    }
    known[event as keyof StreamEvents]?.(JSON.parse(data) as never);
  });
  for await (const chunk of (socket ?? response) as AsyncIterable<Buffer>) feed(chunk);
  throw new Error('the engine closed it');
}

type Answers = { [E in keyof LinkEvents]: (event: LinkEvents[E]) => void };

/** The queue has one request under way at a time, and ends it when the link is down. */
function speaker(socket: Socket, handlers: Partial<Answers>): Say {
  return (request, signal) => {
    let timer: ReturnType<typeof setTimeout>;
    return new Promise<OpResult[]>((resolve, reject) => {
      timer = setTimeout(() => socket.destroy(silence(answerTimeout)), answerTimeout);
      handlers.results = ({ results }) => resolve(results);
      handlers.problem = ({ status, detail, retryAfter = 0 }) => reject(new HttpError(status, detail, retryAfter * 1000));
      signal.addEventListener('abort', () => reject(new Error('down')));
      socket.write(`${JSON.stringify(request)}\n`);
    }).finally(() => clearTimeout(timer));
  };
}
