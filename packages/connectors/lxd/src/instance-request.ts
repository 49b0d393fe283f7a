import { loopbackAddresses } from '@paceline/connector-host';
import { ConnectorError, tagsOf, writeTags, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { configPrefix } from './tags.ts';

export type Device = Record<string, string>;

/** What a launch has found out about the server before it makes machines. */
export interface Ground {
  /** Of the image, in the server's own store. */
  fingerprint: string;
  /** The server knows the keys `cloud-init.*`. */
  cloudInitKeys: boolean;
  /** The root disk that the profiles give, if they do. */
  rootDisk?: { name: string; device: Device };
  /** Its machines can be led to the loopback addresses of this host. */
  local: boolean;
}

/**
 * The body of the request that makes a machine. User data is text there, and is passed on as it is.
 * @throws invalid, unsupported
 */
export function instanceRequest(config: Config, request: LaunchRequest, machine: MachineRequest, ground: Ground): Record<string, unknown> {
  const userData = textOf(machine);
  return {
    name: machine.name,
    type: config.type,
    source: { type: 'image', fingerprint: ground.fingerprint },
    profiles: config.profiles,
    config: {
      ...writeTags(tagsOf(request, machine.index), configPrefix),
      // Images differ in which of them they read.
      'user.user-data': userData,
      ...(ground.cloudInitKeys && { 'cloud-init.user-data': userData }),
      ...limits(request),
    },
    devices: { ...rootDisk(config, request, ground), ...(request.tunnelled === true ? {} : ways(config, machine, userData, ground)) },
  };
}

function textOf({ name, userData }: MachineRequest): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(userData);
  } catch (cause) {
    throw new ConnectorError('invalid', `The user data of ${name} is not text, and LXD takes no other`, { cause });
  }
}

/** What a machine of a size may use. */
export function limits({ cpus, memoryMiB }: Pick<LaunchRequest, 'cpus' | 'memoryMiB'>): Record<string, string> {
  return {
    ...(cpus !== undefined && { 'limits.cpu': String(Math.ceil(cpus)) }),
    ...(cpus !== undefined && !Number.isInteger(cpus) && { 'limits.cpu.allowance': `${Math.round(cpus * 100)}ms/100ms` }),
    ...(memoryMiB !== undefined && { 'limits.memory': `${memoryMiB}MiB` }),
  };
}

function rootDisk({ pool }: Config, { diskGiB }: LaunchRequest, ground: Ground): Record<string, Device> {
  const { name, device } = ground.rootDisk ?? { name: 'root', device: { type: 'disk', path: '/' } };
  const wanted: Device = { ...device, ...(pool !== undefined && { pool }), ...(diskGiB !== undefined && { size: `${diskGiB}GiB` }) };
  if (wanted['pool'] === undefined) {
    throw new ConnectorError('invalid', 'The profiles give machines no root disk', { hint: 'Set `pool`, or add a disk to a profile.' });
  }
  return pool === undefined && diskGiB === undefined ? {} : { [name]: wanted };
}

/** Ways out of the machine, to what it knows by a loopback address of this host: its engine. */
function ways({ type }: Config, { name }: MachineRequest, userData: string, { local }: Ground): Record<string, Device> {
  const addresses = loopbackAddresses(userData);
  if (addresses.length > 0 && (!local || type === 'virtual-machine')) {
    throw new ConnectorError('unsupported', `${name} could not reach its engine, which is at a loopback address of this host`, {
      hint: 'Only containers on this host can. Let the engine listen on an address that machines can reach.',
    });
  }
  const ports = new Set(addresses.filter(({ address }) => !address.includes(':')).map(({ port }) => port));
  // `localhost` is both; what listens here on one of them only must not seem to listen on the other.
  const listened = addresses.filter(({ address, port }) => !address.includes(':') || !ports.has(port));
  return Object.fromEntries(
    listened.map(({ address, port }) => {
      const place = `tcp:${address.includes(':') ? `[${address}]` : address}:${port}`;
      return [`paceline-${address.replaceAll(/[.:]/g, '-')}-${port}`, { type: 'proxy', bind: 'instance', listen: place, connect: place }];
    }),
  );
}
