import { ConnectorError, readTags, type Tags } from '@paceline/engine/connector';
import { instanceSchema, type Instance } from './answer.ts';
import type { Client } from './client.ts';
import { unlessUnknown } from './failure.ts';
import { isMachineName } from './machine.ts';
import { configPrefix } from './tags.ts';

/** A machine of ours, by its id. @throws notFound */
export async function findMachine(
  client: Client,
  id: string,
  signal: AbortSignal,
): Promise<{ path: string; instance: Instance; tags: Tags }> {
  const path = `/1.0/instances/${id}`;
  const instance = isMachineName(id)
    ? await unlessUnknown(client.get(`look up machine ${id}`, path, instanceSchema, { signal }))
    : undefined;
  const tags = instance && readTags(instance.config, configPrefix);
  if (instance === undefined || tags === undefined) throw new ConnectorError('notFound', `There is no machine ${id} of ours`);
  return { path, instance, tags };
}
