import { checkAborted } from '@paceline/connector-host';
import { checkLimits, ConnectorError, type ConnectorContext, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { checkMemory } from './host-memory.ts';
import { sweep } from './garbage.ts';
import { resolveLayers } from './image.ts';
import { recordIntent } from './intent.ts';
import { openSite, runDirectory } from './site.ts';
import { startMachines } from './supervisor.ts';

export const limits = { userDataBytes: 1024 * 1024, maxBatch: 256 };

/**
 * Starts machines, or finishes what an earlier launch with the same token began: the intents go to disk, then the supervisor of the run is
 * asked to start what was never started. Returns the ids in the order of the request.
 */
export async function launchMachines(config: Config, request: LaunchRequest, context: ConnectorContext): Promise<string[]> {
  checkRequest(request);
  checkAborted(context.signal, 'launch');
  checkMemory(request);
  const site = await openSite(config, true);
  await sweep(site, context.now());
  const layers = await resolveLayers(site, request.image, context.signal);
  checkAborted(context.signal, 'launch');
  const records = await Promise.all(request.machines.map((machine) => recordIntent(site, request, machine, layers, context.now())));
  checkAborted(context.signal, 'launch');
  const ids = records.map(({ id }) => id);
  await startMachines(site, runDirectory(site, request.owner), ids, context.signal);
  return ids;
}

function checkRequest(request: LaunchRequest): void {
  checkLimits(request, limits);
  request.machines.forEach(checkMachine);
}

function checkMachine({ name }: MachineRequest): void {
  if (!/^[a-z0-9-]{1,63}$/.test(name)) {
    throw new ConnectorError('invalid', `${name} cannot be the name of a machine`);
  }
}
