import {
  checkLimits,
  inParallel,
  machinesOf,
  partOf,
  sharedTagsOf,
  tagsOf,
  type ConnectorContext,
  type LaunchRequest,
  type Machine,
  type MachineRequest,
  type Tags,
} from '@paceline/engine/connector';
import * as z from 'zod';
import { addressesFor } from './address.ts';
import { nothing } from './answers.ts';
import { chooseFlavor, findImage, findNetworks, listFlavors } from './choice.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';
import { findServers } from './inventory.ts';
import { toMachine } from './machine.ts';
import { checkDoor, type Groups } from './security-group.ts';
import type { Session } from './session.ts';
import { metadataOf, nameKey, searchTags } from './tags.ts';

/** Nova takes 65,535 characters of base64. */
export const limits = { userDataBytes: 49_149, maxBatch: 50 };
export const sharedLaunch = { maxBatch: 200, placeKey: 'ds.meta_data.launch_index' };

interface Way {
  session: Session;
  config: Config;
  groups: Groups;
}

/**
 * Launches the machines that are not there yet: all by one request where none of them is there and their user data can be shared, for Nova
 * gives all machines of a request the same; otherwise each by its own, and all else is asked for once for all of them.
 */
export async function launchMachines(
  { session, config, groups }: Way,
  request: LaunchRequest,
  { signal, log }: ConnectorContext,
): Promise<Machine[]> {
  checkLimits(request, { ...limits, sharedLaunch });
  checkDoor(config, request);
  const known = await findLaunched(session, request, signal);
  const there = machinesOf(request, [...known.values()]);
  // More of those that miss the others of a shared launch are left to the next one, which can share again.
  const missing = request.machines.filter(({ index }) => !known.has(index)).slice(0, there.length > 0 ? limits.maxBatch : undefined);
  if (missing.length === 0) return there;
  const [image, flavors, networks, own] = await Promise.all([
    findImage(session, config, request.image, signal),
    listFlavors(session, config, signal),
    findNetworks(session, config, signal),
    groups.of(request, signal),
  ]);
  const flavor = chooseFlavor(flavors, request);
  const { network, outside } = networks;
  const ports =
    outside === undefined ? undefined : await addressesFor(session, request, missing, { network, outside, groups: own }, signal);
  const common = { imageRef: image, flavorRef: flavor.id };
  if (request.shared !== undefined && there.length === 0 && ports === undefined) {
    await ask(session, request, { ...common, ...sharedRequest(request, request.shared, config), ...plugFor(network, own) }, signal);
    return machinesOf(request, [...(await findLaunched(session, request, signal)).values()]);
  }
  const launchOne = async (machine: MachineRequest): Promise<Machine> => {
    const port = ports?.get(machine.index);
    const plug = port === undefined ? plugFor(network, own) : { networks: [{ port }] };
    return made(request, machine, await ask(session, request, { ...common, ...serverRequest(request, machine, config), ...plug }, signal));
  };
  const { values, failures } = await inParallel(missing, launchOne, { stop: true });
  return machinesOf(request, partOf({ values: [...there, ...values], failures }, log));
}

/** The machines that are there, by number. Of a launch that has happened twice the oldest is kept, whoever looks. */
async function findLaunched(session: Session, { owner, token }: LaunchRequest, signal: AbortSignal): Promise<Map<number, Machine>> {
  const there = new Map<number, Machine>();
  for (const server of await findServers(session, { engine: owner.engine, run: owner.run, token }, signal)) {
    const machine = toMachine(server);
    // One whose place nobody knows any more may be any of them.
    if (machine === undefined || machine.index === 0) continue;
    if (!there.has(machine.index)) there.set(machine.index, machine);
    else await endServer(session, machine.id, signal);
  }
  return there;
}

/** @returns the id of the machine, or of one of them */
async function ask(
  session: Session,
  { image }: LaunchRequest,
  server: NewServer & { imageRef: string },
  signal: AbortSignal,
): Promise<string> {
  const answer = await session.ask('compute', {
    doing: `launch ${server.name} from ${image === '' ? server.imageRef : image}`,
    method: 'POST',
    path: '/servers',
    body: { server },
    schema: z.object({ server: z.object({ id: z.string() }) }),
    signal,
  });
  return answer.server.id;
}

/** As Nova wants it. */
interface NewServer {
  name: string;
  user_data: string;
  tags: string[];
  metadata: Record<string, string>;
  availability_zone?: string;
  min_count?: number;
  max_count?: number;
}

function serverRequest(request: LaunchRequest, { index, name, userData }: MachineRequest, config: Config): NewServer {
  return newServer(request, { name, userData }, tagsOf(request, index), config);
}

/** As many of them as there is quota for. Nova puts `-1`, `-2` and so on after the name. */
function sharedRequest(request: LaunchRequest, shared: NonNullable<LaunchRequest['shared']>, config: Config): NewServer {
  const server = newServer(request, shared, sharedTagsOf(request), config);
  return { ...server, metadata: { ...server.metadata, [nameKey]: shared.name }, min_count: 1, max_count: request.machines.length };
}

function newServer(
  { owner, token }: LaunchRequest,
  { name, userData }: Pick<MachineRequest, 'name' | 'userData'>,
  tags: Tags,
  { zone }: Config,
): NewServer {
  return {
    name,
    user_data: Buffer.from(userData).toString('base64'),
    tags: searchTags({ engine: owner.engine, run: owner.run, token }),
    metadata: metadataOf(tags),
    ...(zone !== undefined && { availability_zone: zone }),
  };
}

function plugFor(network: string, groups: readonly string[]): object {
  return { networks: [{ uuid: network }], security_groups: groups.map((name) => ({ name })) };
}

/** Nova answers with the id alone. */
function made({ login }: LaunchRequest, { index, name }: MachineRequest, id: string): Machine {
  return { id, index, name, state: 'pending', publicIps: [], privateIps: [], createdAt: new Date(), ...(login !== undefined && { login }) };
}

/** Asks for the end of a machine; it is not over when this resolves. */
export async function endServer(session: Session, id: string, signal: AbortSignal): Promise<void> {
  await unlessUnknown(
    session.ask('compute', { doing: `end machine ${id}`, method: 'DELETE', path: `/servers/${id}`, schema: nothing, signal }),
  );
}
