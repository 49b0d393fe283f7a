import { freemem, totalmem } from 'node:os';
import { ConnectorError, type LaunchRequest } from '@paceline/engine/connector';

/** What the first machines of a run take while they boot, with something to spare. */
const leastMiB = 64;

/**
 * A host that runs out of memory ends whatever it likes.
 * @throws capacity when there is next to none left, or less than a machine is to have
 */
export function checkMemory({ memoryMiB = 0 }: Pick<LaunchRequest, 'memoryMiB'>, host = { free: freemem(), total: totalmem() }): void {
  const [free, total] = [host.free, host.total].map((bytes) => Math.floor(bytes / 1024 ** 2)) as [number, number];
  if (memoryMiB > total) {
    throw new ConnectorError('capacity', `A machine is to have ${memoryMiB} MiB of memory, and this host has ${total} MiB in all`, {
      hint: 'Give it less memory, or take another cloud.',
    });
  }
  if (free < leastMiB) {
    throw new ConnectorError('capacity', `This host has ${free} MiB of memory left, and machines need at least ${leastMiB} to boot`, {
      hint: 'Run fewer machines.',
    });
  }
}
