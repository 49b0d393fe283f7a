import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LaunchRequest } from '@paceline/engine/connector';
import type { Config } from './config.ts';

/** Where everything lies, and who we are. */
export interface Site {
  readonly root: string;
  /** One directory per run, with its supervisor and its machines. */
  readonly runs: string;
  readonly images: string;
  /** Root file systems unpacked from images; made again when they are missing. */
  readonly cache: string;
  /** Directories on their way in. Nothing runs in them; leftovers of a crash are garbage. */
  readonly staging: string;
  readonly config: Config;
  /** Root of the host. Others get a range of users of their own to be root in. */
  readonly privileged: boolean;
}

/** Works out the paths; with `create` also makes the directories. */
export async function openSite(config: Config, create: boolean, uid = process.getuid?.()): Promise<Site> {
  if (create) {
    await mkdir(config.root, { recursive: true, mode: 0o700 });
  }
  const root = await realpath(config.root).catch(() => resolve(config.root));
  const site: Site = {
    root,
    runs: join(root, 'runs'),
    images: config.images ?? join(root, 'images'),
    cache: join(root, 'cache'),
    staging: join(root, 'staging'),
    config,
    privileged: uid === 0,
  };
  if (create) {
    await Promise.all([site.runs, site.images, site.cache, site.staging].map((path) => mkdir(path, { recursive: true })));
  }
  return site;
}

export function runKey(owner: { engine: string; run: string }): string {
  return digest(owner.engine, owner.run);
}

export function runDirectory(site: Site, owner: { engine: string; run: string }): string {
  return join(site.runs, runKey(owner));
}

export function machinesOf(run: string): string {
  return join(run, 'machines');
}

/** The same launch always gives the same ids. They say which run they belong to, so that it need not be looked for. */
export function machineId(site: Site, request: Pick<LaunchRequest, 'owner' | 'token'>, index: number): string {
  return `sandbox-${runKey(request.owner)}-${digest(site.root, request.token, String(index))}`;
}

/** The run of a machine. Ids come back from outside and become paths: undefined for what {@link machineId} does not make. */
export function runOf(site: Pick<Site, 'runs'>, id: string): string | undefined {
  const key = /^sandbox-([0-9a-f]{16})-[0-9a-f]{16}$/.exec(id)?.[1];
  return key === undefined ? undefined : join(site.runs, key);
}

export function machineDirectory(run: string, id: string): string {
  return join(machinesOf(run), id);
}

function digest(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}
