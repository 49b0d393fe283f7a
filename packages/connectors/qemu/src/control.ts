import * as z from 'zod';
import { Monitor } from './monitor.ts';

const statusSchema = z.object({ status: z.string() });

/** How long a machine is waited for that is asked how it is: while its disk is copied it does not answer. */
const statusMs = 2000;

/** What QEMU says a machine does now, such as `running` or `io-error`; undefined when it does not answer. */
export async function statusOf(machine: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(statusMs);
  const ask = async (monitor: Monitor): Promise<string> => statusSchema.parse(await monitor.ask('query-status')).status;
  return Monitor.talk(machine, 'say how a machine is', signal, ask).catch(() => undefined);
}

/**
 * Has a machine that runs copy its disk, with all that it stands on, as it is at this moment. It goes on meanwhile.
 * @returns false when there is no such machine running
 */
export async function backUpDisk(machine: string, target: string, signal: AbortSignal): Promise<boolean> {
  const done = await Monitor.talk(machine, 'copy the disk of the machine', signal, async (monitor) => {
    await monitor.ask('drive-backup', { device: 'disk', 'job-id': 'image', target, sync: 'full', format: 'qcow2' });
    return monitor.event((event, { error }) => {
      if (event.startsWith('BLOCK_JOB_') && error !== undefined) throw monitor.failure(error);
      return event === 'BLOCK_JOB_COMPLETED' ? true : undefined;
    });
  });
  return done ?? false;
}
