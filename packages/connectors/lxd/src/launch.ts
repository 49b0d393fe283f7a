import {
  checkLimits,
  ConnectorError,
  inParallel,
  partOf,
  readTags,
  type ConnectorContext,
  type LaunchRequest,
  type Machine,
  type MachineRequest,
} from '@paceline/engine/connector';
import { instanceSchema, serverSchema, type Instance } from './answer.ts';
import type { Client } from './client.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';
import { untouched } from '@paceline/connector-host';
import { findImage } from './image.ts';
import { instanceRequest, type Ground } from './instance-request.ts';
import { isMachineName, toMachine, wasStarted } from './machine.ts';
import { checkMemory } from './host-memory.ts';
import { findRootDisk } from './root-disk.ts';
import { configPrefix } from './tags.ts';

export const limits = { userDataBytes: 256 * 1024, maxBatch: 64 };

/** How long making a machine may take, in seconds: the first of an image has it unpacked. */
const creationLimit = 240;
const startLimit = 60;

/**
 * Makes and starts machines, or finishes what an earlier launch with the same token began: their names are unique on the server.
 * When only some can be had these are returned, so that the engine asks for the others alone.
 */
export async function launchMachines(
  client: Client,
  config: Config,
  request: LaunchRequest,
  context: ConnectorContext,
): Promise<Machine[]> {
  checkRequest(request);
  const ground = await explore(client, config, request, context.signal).catch((error: unknown) => {
    throw untouched(error);
  });
  const bodies = request.machines.map((machine) => ({ machine, body: instanceRequest(config, request, machine, ground) }));
  const launches = await inParallel(bodies, ({ machine, body }) => launchOne(client, request.token, machine, body, context.signal));
  return partOf(launches, context.log);
}

function checkRequest(request: LaunchRequest): void {
  checkLimits(request, limits);
  for (const { name } of request.machines) {
    if (!isMachineName(name)) {
      throw new ConnectorError('invalid', `${name} cannot be the name of a machine`);
    }
  }
}

async function explore(client: Client, config: Config, request: LaunchRequest, signal: AbortSignal): Promise<Ground> {
  const { api_extensions, environment } = await client.get('ask for the server', '/1.0', serverSchema, { signal });
  // Other members of a cluster may have more.
  if (request.memoryMiB !== undefined && environment?.server_clustered !== true) await checkMemory(client, request.memoryMiB, signal);
  const disk = await findRootDisk(client, config, signal);
  return {
    fingerprint: await findImage(client, config, request.image === '' ? (config.image ?? '') : request.image, signal),
    cloudInitKeys: api_extensions.includes('cloud_init'),
    local: client.local,
    ...(disk !== undefined && { rootDisk: disk }),
  };
}

async function launchOne(
  client: Client,
  token: string,
  { name, index }: MachineRequest,
  body: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Machine> {
  const doing = `make machine ${name}`;
  try {
    await client.change(doing, 'POST', '/1.0/instances', { body, limit: creationLimit, signal });
  } catch (error) {
    // That it is there already is not always the first thing that the server minds.
    const present = await unlessUnknown(lookUp(client, name, signal));
    const tags = present && readTags(present.config, configPrefix);
    if (tags?.token !== token || tags.index !== index) {
      throw error;
    }
  }
  return start(client, name, signal);
}

/** Starts a machine that was never started; one that has ended since stays so. */
async function start(client: Client, name: string, signal: AbortSignal): Promise<Machine> {
  const before = await lookUp(client, name, signal);
  if (!wasStarted(before)) {
    try {
      const body = { action: 'start', timeout: startLimit };
      await client.change(`start machine ${name}`, 'PUT', `/1.0/instances/${name}/state`, { body, limit: startLimit, signal });
    } catch (error) {
      // Somebody else who finishes the same launch may have been faster.
      if (!wasStarted(await lookUp(client, name, signal))) {
        throw error;
      }
    }
  }
  const machine = toMachine(await lookUp(client, name, signal));
  if (machine === undefined) {
    throw new ConnectorError('conflict', `Machine ${name} is not ours any more`);
  }
  return machine;
}

function lookUp(client: Client, name: string, signal: AbortSignal): Promise<Instance> {
  return client.get(`look up machine ${name}`, `/1.0/instances/${name}`, instanceSchema, { query: { recursion: '1' }, signal });
}
