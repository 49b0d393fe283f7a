import { machineResource, matches, resourceOf, type Machine, type OwnerQuery, type Resource, type Tags } from '@paceline/engine/connector';
import * as z from 'zod';
import { leftOf, ownAddresses, placesOf } from './address.ts';
import { imageSchema, serverSchema, type Server } from './answers.ts';
import { unlessUnknown } from './failure.ts';
import { isEnding, machineIds, toMachine } from './machine.ts';
import { listGroups } from './security-group.ts';
import type { Session } from './session.ts';
import { ours, readDescription, readMetadata, searchTags } from './tags.ts';

/** Up to so many machines are asked for one by one; a list of all of ours costs a cloud more. */
const fewMachines = 3;

/** Our servers that carry these tags. @param pageSize of the list @default what the cloud likes */
export async function listServers(session: Session, tags: readonly string[], signal: AbortSignal): Promise<Server[]> {
  const servers = await session.all('compute', 'servers', {
    doing: 'list machines',
    path: `/servers/detail?tags=${tags.map(encodeURIComponent).join(',')}`,
    item: serverSchema,
    signal,
  });
  // One that moves to another page meanwhile may be on both.
  return [...new Map(servers.map((server) => [server.id, server])).values()];
}

/** Those that are there, and ours. */
export async function describeServers(session: Session, ids: readonly string[], signal: AbortSignal): Promise<Server[]> {
  const wanted = [...new Set(ids.filter((id) => machineIds.test(id)))];
  const found =
    wanted.length > fewMachines
      ? (await listServers(session, [ours], signal)).filter(({ id }) => wanted.includes(id))
      : await Promise.all(wanted.map((id) => findServer(session, id, signal)));
  return found.filter((server) => server !== undefined && readMetadata(server.metadata) !== undefined) as Server[];
}

async function findServer(session: Session, id: string, signal: AbortSignal): Promise<Server | undefined> {
  const schema = z.object({ server: serverSchema });
  const answer = await unlessUnknown(session.ask('compute', { doing: `look up machine ${id}`, path: `/servers/${id}`, schema, signal }));
  return answer?.server;
}

export async function describeMachines(session: Session, ids: readonly string[], signal: AbortSignal): Promise<Map<string, Machine>> {
  // Asked also when there is nothing to look up: who has given up is told so.
  await session.project(signal);
  const servers = await describeServers(session, ids, signal);
  return new Map(servers.flatMap((server) => toMachine(server) ?? []).map((machine) => [machine.id, machine]));
}

/** The machines of a query that are there to stay, the oldest first. */
export async function findServers(session: Session, query: OwnerQuery, signal: AbortSignal): Promise<Server[]> {
  const servers = await listServers(session, searchTags(query), signal);
  return servers
    .filter(
      (server) => !isEnding(server) && toMachine(server)?.state !== 'terminated' && matches(readMetadata(server.metadata) ?? nobody, query),
    )
    .toSorted((one, other) => one.created.getTime() - other.created.getTime() || (one.id < other.id ? -1 : 1));
}

const nobody: Tags = { owner: { engine: '', run: '' } };

/** Everything that carries the owner's tags. What goes with a machine (its port, its address) is shown only when it was left behind. */
export async function listResources(session: Session, query: OwnerQuery, signal: AbortSignal): Promise<Resource[]> {
  const { id: project } = await session.project(signal);
  const [servers, groups, images, addresses] = await Promise.all([
    listServers(session, searchTags(query), signal),
    listGroups(session, signal),
    session.all('image', 'images', {
      doing: 'list images',
      path: `/images?owner=${project}&${encodeURIComponent('paceline:engine')}=${encodeURIComponent(query.engine)}`,
      item: imageSchema,
      signal,
    }),
    ownAddresses(session, signal),
  ]);
  const taken = servers.flatMap(({ metadata }) => placesOf(readMetadata(metadata) ?? nobody));
  const machines = servers.map((server) => machineResource(toMachine(server), readMetadata(server.metadata)));
  const found = [
    ...machines.filter((resource) => resource?.machine?.state !== 'terminated'),
    ...leftOf(addresses, taken),
    ...groups.map(({ id, name, description }) => resourceOf({ kind: 'group', id, name }, readDescription(description))),
    ...images.map((image) => resourceOf({ kind: 'image', id: image.id, name: image.name ?? '' }, readMetadata(image))),
  ];
  return found.filter((resource) => resource !== undefined).filter((resource) => matches(resource, query));
}
