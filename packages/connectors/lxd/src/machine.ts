import { BlockList, isIPv6 } from 'node:net';
import { readTags, resourceOf, type Machine, type MachineState, type Resource } from '@paceline/engine/connector';
import type { Instance } from './answer.ts';
import { configPrefix } from './tags.ts';

/** LXD's numbers for what an instance does; the words for them differ between versions. */
const states: Record<number, MachineState> = {
  101: 'running',
  102: 'stopped',
  103: 'running',
  104: 'stopping',
  106: 'pending',
  107: 'stopping',
  108: 'stopping',
  109: 'running',
  110: 'running',
  111: 'running',
  112: 'error',
  113: 'running',
};

/** Whether a machine can have this name, which is its id. Others are no machines of ours, and would be something else in a path. */
export function isMachineName(name: string): boolean {
  return /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name);
}

/** Instances that were never started have been used at the beginning of time. */
export function wasStarted({ status_code, last_used_at }: Pick<Instance, 'status_code' | 'last_used_at'>): boolean {
  return states[status_code] !== 'stopped' || new Date(last_used_at).getTime() > 0;
}

/** Undefined when it is not ours. */
export function toMachine(instance: Instance): Machine | undefined {
  const tags = readTags(instance.config, configPrefix);
  if (tags?.index === undefined) {
    return undefined;
  }
  const state = wasStarted(instance) ? (states[instance.status_code] ?? 'error') : 'pending';
  const addresses = addressesOf(instance);
  return {
    id: instance.name,
    index: tags.index,
    name: instance.name,
    state,
    publicIps: addresses.filter((address) => !isPrivate(address)),
    privateIps: addresses.filter(isPrivate),
    ...(tags.login !== undefined && { login: tags.login }),
    createdAt: new Date(instance.created_at),
    ...(state === 'error' && { fault: `LXD says that it is in state ${instance.status}` }),
  };
}

/**
 * A machine that was made but not started yet is shown without its description: nobody may take it for a machine that
 * comes up by itself. The next launch with its token starts it; terminating it removes it.
 */
export function toResource(instance: Instance): Resource | undefined {
  const tags = readTags(instance.config, configPrefix);
  const machine = toMachine(instance);
  return machine && resourceOf({ kind: 'machine', id: machine.id, name: machine.name, ...(wasStarted(instance) && { machine }) }, tags);
}

/** The addresses of the interfaces that LXD gave it, IPv4 first; not those of networks that the machine made in itself. */
function addressesOf({ config, state }: Instance): string[] {
  const given = Object.entries(config ?? {})
    .filter(([key]) => /^volatile\..*\.hwaddr$/.test(key))
    .map(([, address]) => address.toLowerCase());
  return Object.entries(state?.network ?? {})
    .filter(([name, { hwaddr }]) => name !== 'lo' && (given.length === 0 || given.includes(hwaddr.toLowerCase())))
    .flatMap(([, { addresses }]) => addresses ?? [])
    .filter(({ scope }) => scope === 'global')
    .toSorted((one, other) => one.family.localeCompare(other.family))
    .map(({ address }) => address);
}

const privateRanges = new BlockList();
for (const [address, bits] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  privateRanges.addSubnet(address, bits, 'ipv4');
}
privateRanges.addSubnet('fc00::', 7, 'ipv6');

function isPrivate(address: string): boolean {
  return privateRanges.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
