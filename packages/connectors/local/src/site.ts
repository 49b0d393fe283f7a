import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LaunchRequest } from '@paceline/engine/connector';
import type { Config } from './config.ts';

/** Where everything lies. All paths are canonical, so that they can be compared with what /proc says. */
export interface Site {
  readonly root: string;
  /** One directory per machine, named by its id. */
  readonly machines: string;
  /** One directory per run: its resident agent and the supervisor of that. */
  readonly runs: string;
  /** Directories on their way in or out. Nothing runs in them; leftovers of a crash are garbage. */
  readonly staging: string;
  readonly cache: string;
  /** Directory trees that machines were made into, by name. */
  readonly images: string;
  readonly node: string;
  /** Shared by every root of this user on this host. */
  readonly addresses: string;
  readonly sockets: string;
}

/** The place where all engines of one user agree on addresses. Not $TMPDIR: an engine inside a machine has another one. */
export function sharedDirectory(platform: NodeJS.Platform, uid: number): string {
  return join(platform === 'linux' ? '/tmp' : tmpdir(), `paceline-${uid}`);
}

/** Works out the paths; with `create` also makes the directories below the root. */
export async function openSite(config: Config, create: boolean): Promise<Site> {
  if (create) {
    await mkdir(config.root, { recursive: true });
  }
  // A root that does not exist holds nothing, so nothing is compared with its path either.
  const root = await realpath(config.root).catch(() => resolve(config.root));
  const shared = sharedDirectory(process.platform, process.getuid?.() ?? 0);
  const site: Site = {
    root,
    machines: join(root, 'machines'),
    runs: join(root, 'runs'),
    staging: join(root, 'staging'),
    cache: config.agentCache ?? join(root, 'cache'),
    images: join(root, 'images'),
    node: config.node ?? process.execPath,
    addresses: join(shared, 'addresses'),
    sockets: join(shared, 'sockets'),
  };
  if (create) {
    await Promise.all([site.machines, site.runs, site.staging, site.cache].map((path) => mkdir(path, { recursive: true })));
  }
  return site;
}

/**
 * The same launch always gives the same ids. The root is part of it because the id is also a mark on processes, which belong to the
 * whole host. All ids have one length, so that none is the beginning of another.
 */
export function machineId(site: Site, request: Pick<LaunchRequest, 'owner' | 'token'>, index: number): string {
  return `local-${digest(site.root, request.owner.engine, request.token, String(index))}`;
}

/** Ids come back from outside and become paths: nothing else than what {@link machineId} makes is looked up. */
export function isMachineId(id: string): boolean {
  return /^local-[0-9a-f]{16}$/.test(id);
}

export function runKey(owner: { engine: string; run: string }): string {
  return digest(owner.engine, owner.run);
}

/** A Unix socket's path has room for about 100 bytes, which a machine's directory may well exceed. */
export function socketPath(site: Site, id: string): string {
  return join(site.sockets, id);
}

function digest(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}
