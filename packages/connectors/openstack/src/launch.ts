import { ConnectorError, type ConnectorContext, type LaunchRequest, type Machine, type MachineRequest } from '@paceline/engine/connector';
import * as z from 'zod';
import { addressesFor } from './address.ts';
import { nothing } from './answers.ts';
import { chooseFlavor, findImage, findNetworks, listFlavors } from './choice.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';
import { inParallel } from './in-parallel.ts';
import { findServers } from './inventory.ts';
import { toMachine } from './machine.ts';
import type { Groups } from './security-group.ts';
import type { Session } from './session.ts';
import { metadataOf, searchTags, tagsOf } from './tags.ts';

/** Nova takes 65,535 characters of base64. */
export const userDataLimit = 49_149;
export const batchLimit = 50;

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
  checkRequest(request);
  const there = await findLaunched(session, request, signal);
  const missing = request.machines.filter(({ index }) => !there.has(index));
  if (missing.length > 0) {
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
    const failures = await inParallel(missing, async (machine) => {
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
      there.set(machine.index, made(request, machine, server.id));
    });
    const [first] = failures;
    // What could be had is told, so that the engine asks for the others alone.
    if (first !== undefined && there.size === 0) throw first;
    for (const failure of failures) log.warn(failure.message);
  }
  return request.machines.flatMap(({ index }) => there.get(index) ?? []);
}

function checkRequest({ machines }: LaunchRequest): void {
  if (machines.length > batchLimit) {
    throw new ConnectorError('invalid', `A launch of ${machines.length} machines is over the limit of ${batchLimit}`);
  }
  for (const { name, userData } of machines) {
    if (userData.length > userDataLimit) {
      throw new ConnectorError('invalid', `The user data of ${name} has ${userData.length} bytes, over the limit of ${userDataLimit}`);
    }
  }
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
