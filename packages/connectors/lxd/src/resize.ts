import { ConnectorError, readTags } from '@paceline/engine/connector';
import { instanceSchema } from './answer.ts';
import type { Client } from './client.ts';
import { unlessUnknown } from './failure.ts';
import { limits } from './instance-request.ts';
import { isMachineName } from './machine.ts';
import { configPrefix } from './tags.ts';

/** Gives a machine that runs other limits: the kernel of a container heeds them at once. What is left out stays. @throws notFound, unsupported */
export async function resizeMachine(
  client: Client,
  id: string,
  size: { cpus?: number; memoryMiB?: number },
  signal: AbortSignal,
): Promise<void> {
  const path = `/1.0/instances/${id}`;
  const found = isMachineName(id) ? await unlessUnknown(client.get(`look up machine ${id}`, path, instanceSchema, { signal })) : undefined;
  if (found === undefined || readTags(found.config, configPrefix) === undefined)
    throw new ConnectorError('notFound', `There is no machine ${id} that could be resized`);
  const { 'limits.cpu': cpus, ...others } = limits(size);
  // A share of a processor that it had before would go on to count.
  const share = cpus === undefined ? {} : { 'limits.cpu.allowance': '' };
  const change = async (changed: Record<string, string>): Promise<void> => {
    const body = { config: changed };
    await client.change(`resize machine ${id}`, 'PATCH', path, { body, signal });
  };
  await change({ ...share, ...others });
  // LXD 5 gives out processors before it has kept a request that changes more than these, and so by what was.
  if (cpus !== undefined) await change({ 'limits.cpu': cpus });
}
