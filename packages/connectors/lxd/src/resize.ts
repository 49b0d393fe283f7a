import type { Client } from './client.ts';
import { findMachine } from './find-machine.ts';
import { limits } from './instance-request.ts';

/** Gives a machine that runs other limits: the kernel of a container heeds them at once. What is left out stays. @throws notFound, unsupported */
export async function resizeMachine(
  client: Client,
  id: string,
  size: { cpus?: number; memoryMiB?: number },
  signal: AbortSignal,
): Promise<void> {
  const { path } = await findMachine(client, id, signal);
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
