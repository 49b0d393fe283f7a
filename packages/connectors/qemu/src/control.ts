import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { checkAborted, hasCode } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';

const messageSchema = z.looseObject({
  return: z.unknown().optional(),
  error: z.object({ desc: z.string() }).optional(),
  event: z.string().optional(),
  data: z.looseObject({ device: z.string().optional(), error: z.string().optional() }).optional(),
});

const statusSchema = z.object({ status: z.string() });

/** How long a machine is waited for that is asked how it is: while its disk is copied it does not answer. */
const statusMs = 2000;

/** What QEMU says a machine does now, such as `running` or `io-error`; undefined when it does not answer. */
export async function statusOf(machine: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(statusMs);
  try {
    return await converse(machine, signal, 'ask how a machine is', [['query-status']], ({ return: said }) => {
      const parsed = statusSchema.safeParse(said);
      return parsed.success ? parsed.data.status : undefined;
    });
  } catch {
    return undefined;
  }
}

/**
 * Has a machine that runs copy its disk, with all that it stands on, as it is at this moment. It goes on meanwhile.
 * @returns false when there is no such machine running
 */
export async function backUpDisk(machine: string, target: string, signal: AbortSignal): Promise<boolean> {
  const backUp = { device: 'disk', 'job-id': 'image', target, sync: 'full', format: 'qcow2' };
  try {
    const done = await converse(machine, signal, 'copy the disk of a machine', [['drive-backup', backUp]], ({ event, data }) => {
      if (event?.startsWith('BLOCK_JOB_') === true && data?.error !== undefined) throw failure(data.error);
      return event === 'BLOCK_JOB_COMPLETED' ? true : undefined;
    });
    if (done === undefined) throw new ConnectorError('unavailable', 'The machine ended while its disk was copied');
    return done;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) {
      return false;
    }
    throw error;
  }
}

type Message = z.output<typeof messageSchema>;

/**
 * Says some things to the monitor of a machine, and hears it until `heard` makes something of a message.
 * @returns undefined when the machine has ended before
 */
async function converse<T>(
  machine: string,
  signal: AbortSignal,
  doing: string,
  commands: readonly [execute: string, args?: Record<string, unknown>][],
  heard: (message: Message) => T | undefined,
): Promise<T | undefined> {
  checkAborted(signal, doing);
  await using directory = await open(machine);
  // By the descriptor of its directory: the path of a socket has room for about 100 bytes only.
  const socket = connect({ path: `/proc/self/fd/${directory.fd}/control` });
  const giveUp = (): void => void socket.destroy(new ConnectorError('timeout', `Gave up to ${doing}`));
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    for (const [execute, args = {}] of [['qmp_capabilities'] as const, ...commands])
      socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
    for await (const line of createInterface({ input: socket })) {
      const message = messageSchema.parse(JSON.parse(line));
      if (message.error !== undefined) throw failure(message.error.desc);
      const result = heard(message);
      if (result !== undefined) return result;
    }
    return undefined;
  } finally {
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}

function failure(said: string): ConnectorError {
  const full = /no space left/i.test(said);
  return new ConnectorError(full ? 'capacity' : 'internal', `QEMU could not copy the disk of the machine: ${said}`);
}
