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

/**
 * Has a machine that runs copy its disk, with all that it stands on, as it is at this moment. It goes on meanwhile.
 * @returns false when there is no such machine running
 */
export async function backUpDisk(machine: string, target: string, signal: AbortSignal): Promise<boolean> {
  checkAborted(signal, 'copy the disk of a machine');
  await using directory = await open(machine);
  // By the descriptor of its directory: the path of a socket has room for about 100 bytes only.
  const socket = connect({ path: `/proc/self/fd/${directory.fd}/control` });
  const giveUp = (): void => void socket.destroy(new ConnectorError('timeout', 'Gave up to copy the disk of a machine'));
  signal.addEventListener('abort', giveUp, { once: true });
  const say = (execute: string, args = {}): void => void socket.write(`${JSON.stringify({ execute, arguments: args })}\n`);
  try {
    say('qmp_capabilities');
    say('drive-backup', { device: 'disk', 'job-id': 'image', target, sync: 'full', format: 'qcow2' });
    for await (const line of createInterface({ input: socket })) {
      const { error, event, data } = messageSchema.parse(JSON.parse(line));
      const failure = error?.desc ?? (event?.startsWith('BLOCK_JOB_') === true ? data?.error : undefined);
      if (failure !== undefined) {
        const full = /no space left/i.test(failure);
        throw new ConnectorError(full ? 'capacity' : 'internal', `QEMU could not copy the disk of the machine: ${failure}`);
      }
      if (event === 'BLOCK_JOB_COMPLETED') {
        return true;
      }
    }
    throw new ConnectorError('unavailable', 'The machine ended while its disk was copied');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) {
      return false;
    }
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
    socket.destroy();
  }
}
