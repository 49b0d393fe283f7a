import { ConnectorError, type WayIn } from '@paceline/engine/connector';
import { stateSchema } from './answer.ts';
import type { Client } from './client.ts';
import { isMachineName } from './machine.ts';

/**
 * A container of this host is entered by its namespaces: it need not have an SSH server, or anybody's key.
 * @throws notFound when there is no such machine, or it does not run
 */
export async function wayIntoContainer(client: Client, id: string, signal: AbortSignal): Promise<WayIn> {
  if (!isMachineName(id)) throw new ConnectorError('notFound', `There is no machine ${id}`);
  const { pid } = await client.get(`find a way into machine ${id}`, `/1.0/instances/${id}/state`, stateSchema, { signal });
  if (pid <= 0) throw new ConnectorError('notFound', `${id} does not run`);
  return { kind: 'namespaces', pid };
}
