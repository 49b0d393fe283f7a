import { ConnectorError, isConnectorError } from '@paceline/engine/connector';
import { resourcesSchema } from './answer.ts';
import type { Client } from './client.ts';

/**
 * LXD gives a machine any limit, also one that its host could never keep.
 * @throws capacity when the host has less memory than a machine is to have
 */
export async function checkMemory(client: Client, memoryMiB: number, signal: AbortSignal): Promise<void> {
  const total = await totalMemory(client, signal);
  if (total === undefined || memoryMiB <= total) return;
  throw new ConnectorError(
    'capacity',
    `A machine is to have ${memoryMiB} MiB of memory, and the host of the server has ${total} MiB in all`,
    {
      hint: 'Give it less memory, or take another cloud.',
    },
  );
}

/** In MiB; undefined where we may not know. */
async function totalMemory(client: Client, signal: AbortSignal): Promise<number | undefined> {
  try {
    const { memory } = await client.get('ask for its memory', '/1.0/resources', resourcesSchema, { signal });
    return Math.floor(memory.total / 1024 ** 2);
  } catch (error) {
    if (isConnectorError(error) && error.code === 'forbidden') return undefined;
    throw error;
  }
}
