import {
  checkLimits,
  inParallel,
  machinesOf,
  partOf,
  tagsOf,
  type ConnectorContext,
  type LaunchRequest,
  type Machine,
  type MachineRequest,
} from '@paceline/engine/connector';
import * as z from 'zod';
import { addressesFor } from './address.ts';
import { nothing } from './answers.ts';
import { chooseFlavor, findImage, findNetworks, listFlavors } from './choice.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';
import { findServers } from './inventory.ts';
import { toMachine } from './machine.ts';
import type { Groups } from './security-group.ts';
import type { Session } from './session.ts';
import { metadataOf, searchTags } from './tags.ts';

/** Nova takes 65,535 characters of base64. */
export const limits = { userDataBytes: 49_149, maxBatch: 50 };

interface Way {
  session: Session;
  config: Config;
  groups: Groups;
}

/**
 * Launches the machines that are not there yet. Nova gives all machines of one request the same user data, and those of Paceline hold a
 * secret each, so that each has a request of its own; all else is asked for once for all of them.
 */
export async function launchMachines(
  { session, config, groups }: Way,
  request: LaunchRequest,
  { signal, log }: ConnectorContext,
): Promise<Machine[]> {
  checkLimits(request, limits);
  const known = await findLaunched(session, request, signal);
  const there = machinesOf(request, [...known.values()]);
  const missing = request.machines.filter(({ index }) => !known.has(index));
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
  const launchOne = async (machine: MachineRequest): Promise<Machine> => {
    const port = ports?.get(machine.index);
    const plug =
      port === undefined ? { networks: [{ uuid: network }], security_groups: own.map((name) => ({ name })) } : { networks: [{ port }] };
    const body = { server: { ...serverRequest(request, machine, config), imageRef: image, flavorRef: flavor.id, ...plug } };
    const { server } = await session.ask('compute', {
      doing: `launch ${machine.name} from ${request.image === '' ? image : request.image}`,
      method: 'POST',
      path: '/servers',
      body,
      schema: z.object({ server: z.object({ id: z.string() }) }),
      signal,
    });
    return made(request, machine, server.id);
  };
  const { values, failures } = await inParallel(missing, launchOne, { stop: true });
  return machinesOf(request, partOf({ values: [...there, ...values], failures }, log));
}

/** The machines that are there, by number. Of a launch that has happened twice the oldest is kept, whoever looks. */
async function findLaunched(session: Session, { owner, token }: LaunchRequest, signal: AbortSignal): Promise<Map<number, Machine>> {
  const there = new Map<number, Machine>();
  for (const server of await findServers(session, { engine: owner.engine, run: owner.run, token }, signal)) {
    const machine = toMachine(server);
    if (machine === undefined) continue;
    if (!there.has(machine.index)) there.set(machine.index, machine);
    else await endServer(session, machine.id, signal);
  }
  return there;
}

function serverRequest(request: LaunchRequest, { index, name, userData }: MachineRequest, { zone }: Config): Record<string, unknown> {
  const { owner, token } = request;
  return {
    name,
    user_data: Buffer.from(userData).toString('base64'),
    tags: searchTags({ engine: owner.engine, run: owner.run, token }),
    metadata: metadataOf(tagsOf(request, index)),
    ...(zone !== undefined && { availability_zone: zone }),
  };
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
