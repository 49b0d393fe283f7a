import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { hasCode, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';

/** What a supervisor can be asked; the program explains it. */
export type ControlRequest = { start: readonly string[] } | { end: readonly string[] } | { alive: true };

const replySchema = z.union([z.object({ alive: z.array(z.string()) }), z.object({ error: z.string() })]);

const patienceMs = 30_000;

/** Asks the supervisor of a run. Returns the machines that live after it did so; undefined when there is no supervisor. */
export async function ask(run: string, request: ControlRequest, signal: AbortSignal): Promise<Set<string> | undefined> {
  // By the descriptor of its directory: the path of a socket has room for about 100 bytes only.
  await using directory = await unlessMissing(open(run));
  if (directory === undefined) {
    return undefined;
  }
  const line = await exchange(`/proc/self/fd/${directory.fd}/control`, `${JSON.stringify(request)}\n`, signal);
  if (line === '') {
    return undefined;
  }
  const reply = replySchema.parse(JSON.parse(line));
  if ('error' in reply) {
    throw new ConnectorError('internal', `The supervisor of ${run} failed: ${reply.error}`, { hint: `Its log is ${run}/supervisor.log.` });
  }
  return new Set(reply.alive);
}

/**
 * Does something while no process of a machine runs. They go on afterwards, also if this process ends before. Where no supervisor
 * answers nothing runs anyway.
 */
export async function whileFrozen<T>(run: string, id: string, work: () => Promise<T>): Promise<T> {
  await using directory = await open(run);
  const socket = connect({ path: `/proc/self/fd/${directory.fd}/control` });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve());
      socket.once('error', (error) => (isAbsent(error) ? resolve() : reject(error)));
      socket.once('close', () => resolve());
      socket.write(`${JSON.stringify({ freeze: id })}\n`);
    });
    return await work();
  } finally {
    socket.destroy();
  }
}

/** One line there, one line back, until it hangs up; an empty one when nobody is there, or it ends before it answers. */
function exchange(path: string, line: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const giveUp = (): void => {
      socket.destroy(new ConnectorError('timeout', 'The supervisor of a run did not answer in time', { cause: signal.reason }));
    };
    let answer = '';
    socket.setEncoding('utf8').setTimeout(patienceMs, giveUp);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.on('data', (text: string) => (answer += text));
    socket.on('error', (error) => {
      if (isAbsent(error)) {
        resolve('');
      } else {
        reject(error);
      }
    });
    socket.on('close', () => {
      signal.removeEventListener('abort', giveUp);
      resolve(answer.trim());
    });
    socket.write(line);
    if (signal.aborted) {
      giveUp();
    }
  });
}

function isAbsent(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE');
}
