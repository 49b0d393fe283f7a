import { ConnectorError, inParallel, isConnectorError, readTags, valuesOf, type TerminateResult } from '@paceline/engine/connector';
import { instanceSchema } from './answer.ts';
import type { Client } from './client.ts';
import type { Config } from './config.ts';
import { disksOf, removeDisk } from './disk.ts';
import { unlessUnknown } from './failure.ts';
import { isMachineName } from './machine.ts';
import { requireProject } from './project.ts';
import { configPrefix } from './tags.ts';

/** LXD's number for it. */
const stopped = 102;

const stopLimit = 30;
const deleteLimit = 60;

/** Ends machines, with their disks and ways out. What one of them refuses does not keep the others. */
export async function terminateMachines(
  client: Client,
  config: Config,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<TerminateResult[]> {
  const ended = valuesOf(await inParallel(ids, (id) => terminateOne(client, id, signal)));
  if (ended.includes('absent')) {
    await requireProject(client, config, signal);
  }
  return ids.map((id) => ({ id, gone: true }));
}

async function terminateOne(client: Client, id: string, signal: AbortSignal): Promise<'removed' | 'absent'> {
  if (!isMachineName(id)) {
    return 'absent';
  }
  const path = `/1.0/instances/${id}`;
  const instance = await unlessUnknown(client.get(`look up machine ${id}`, path, instanceSchema, { signal }));
  if (instance === undefined) {
    return 'absent';
  }
  if (readTags(instance.config, configPrefix) === undefined) {
    throw new ConnectorError('forbidden', `${id} is not a machine of ours: it does not carry our tags`);
  }
  if (instance.status_code !== stopped) {
    const body = { action: 'stop', force: true, timeout: stopLimit };
    await client.change(`stop machine ${id}`, 'PUT', `${path}/state`, { body, limit: stopLimit, signal }).catch(unlessStopped);
  }
  await unlessUnknown(client.change(`remove machine ${id}`, 'DELETE', path, { limit: deleteLimit, signal }));
  for (const disk of disksOf(instance)) await removeDisk(client, disk, signal);
  return 'removed';
}

/** It may have stopped by itself in between. Whether that is so, the removal shows. */
function unlessStopped(error: unknown): void {
  if (!(isConnectorError(error) && /already stopped|not running/.test(error.message))) {
    throw error;
  }
}
