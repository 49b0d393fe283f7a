import { indexOf, type Machine, type MachineState } from '@paceline/engine/connector';
import type { Server } from './answers.ts';
import { isCapacity } from './failure.ts';
import { nameKey, readMetadata } from './tags.ts';

/** Those that are not here are passing: the machine is there. */
const states: Record<string, MachineState> = {
  BUILD: 'pending',
  ERROR: 'error',
  SHUTOFF: 'stopped',
  SUSPENDED: 'stopped',
  PAUSED: 'stopped',
  SHELVED: 'stopped',
  SHELVED_OFFLOADED: 'stopped',
  DELETED: 'terminated',
  SOFT_DELETED: 'terminated',
};

export const machineIds = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Undefined for machines that are not ours. */
export function toMachine(server: Server): Machine | undefined {
  const tags = readMetadata(server.metadata);
  const index = tags && indexOf(tags, placeOf(server));
  if (tags === undefined || index === undefined) return undefined;
  const addresses = Object.values(server.addresses)
    .flat()
    .toSorted((one, other) => one.version - other.version);
  const of = (type: string): string[] => addresses.filter((each) => each['OS-EXT-IPS:type'] === type).map(({ addr }) => addr);
  const { fault } = server;
  return {
    id: server.id,
    index,
    name: server.name,
    state: isEnding(server) ? 'stopping' : (states[server.status] ?? 'running'),
    publicIps: of('floating'),
    privateIps: of('fixed'),
    ...(tags.login !== undefined && { login: tags.login }),
    createdAt: server.created,
    ...(fault !== undefined && { fault: fault.message === '' ? 'its cloud does not say why' : fault.message }),
    ...(fault !== undefined && isCapacity(fault.message) && { noRoom: true }),
  };
}

/** Of all machines of a request Nova puts the place after the name, from 1; where it was one machine in the end, it does not. */
function placeOf({ name, metadata }: Server): number | undefined {
  const base = metadata[nameKey];
  if (base === undefined || !name.startsWith(base)) return undefined;
  if (name === base) return 0;
  const place = /^-([1-9]\d{0,4})$/.exec(name.slice(base.length))?.[1];
  return place === undefined ? undefined : Number(place) - 1;
}

export function isEnding(server: Server): boolean {
  return server['OS-EXT-STS:task_state'] === 'deleting' && states[server.status] !== 'terminated';
}
