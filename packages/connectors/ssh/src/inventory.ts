import { readFile } from 'node:fs/promises';
import { ConnectorError, type LaunchRequest, type SshAccess, type SshCredential } from '@paceline/engine/connector';
import type { Config } from './config.ts';

/** One host of the inventory, with all defaults worked out. */
export interface Host {
  name: string;
  access: Omit<SshAccess, 'credential'>;
  /** Where other machines reach it. */
  address: string;
  labels: readonly string[];
  cpus: number | undefined;
  memoryMiB: number | undefined;
  diskGiB: number | undefined;
  slots: number;
  offline: boolean;
  /** Where machines lie on it. */
  directory: string;
  isolation: 'layer' | 'directory';
  node: string;
}

export function hostsOf(config: Config): Host[] {
  return Object.entries(config.hosts).map(([name, { host, port, hostKey, address = host, user = config.user, ...rest }]) => ({
    name,
    access: { host, port, user, hostKeys: typeof hostKey === 'string' ? [hostKey] : hostKey },
    address,
    labels: rest.labels,
    cpus: rest.cpus,
    memoryMiB: rest.memoryMiB,
    diskGiB: rest.diskGiB,
    slots: rest.slots,
    offline: rest.offline,
    directory: config.directory ?? (user === 'root' ? '/var/lib/paceline-hosts' : `/var/tmp/paceline-${user}`),
    isolation: config.isolation ?? (user === 'root' ? 'layer' : 'directory'),
    node: config.node ?? '',
  }));
}

/** What proves who we are. @throws ConnectorError when there is nothing */
export async function credentialOf({ identity }: Pick<Config, 'identity'>, env = process.env): Promise<SshCredential> {
  if (identity === undefined) {
    const agent = env['SSH_AUTH_SOCK'];
    if (agent !== undefined && agent !== '') {
      return { agent };
    }
    throw new ConnectorError('auth', 'There is no key to log in with', {
      hint: 'Name a private key as `identity`, or start the engine where an SSH agent runs. Passwords are never used.',
    });
  }
  try {
    return { privateKey: await readFile(identity, 'utf8') };
  } catch (cause) {
    throw new ConnectorError('auth', `The private key cannot be read: ${String(cause)}`, { cause, hint: 'See `identity` of the cloud.' });
  }
}

/** The labels that are asked for: the image of an `ssh` cloud, such as `gpu,rack=2`. */
export function wantedLabels(image: string): string[] {
  return image
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
}

/** The hosts that a machine could be on. What is not known of a host is enough. */
export function fittingHosts(hosts: readonly Host[], request: Pick<LaunchRequest, 'image' | 'cpus' | 'memoryMiB' | 'diskGiB'>): Host[] {
  const wanted = wantedLabels(request.image);
  const enough = (has: number | undefined, asked = 0): boolean => has === undefined || has >= asked;
  return hosts.filter(
    (host) =>
      !host.offline &&
      wanted.every((label) => host.labels.includes(label)) &&
      enough(host.cpus, request.cpus) &&
      enough(host.memoryMiB, request.memoryMiB) &&
      enough(host.diskGiB, request.diskGiB),
  );
}
