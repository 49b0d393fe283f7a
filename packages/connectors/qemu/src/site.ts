import { createHash } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LaunchRequest } from '@paceline/engine/connector';
import type { Config } from './config.ts';

/** Where everything lies. */
export interface Site {
  readonly root: string;
  readonly machines: string;
  /** One directory per run, with a file for each address that is taken. */
  readonly addresses: string;
  readonly images: string;
  /** Disks that were fetched, by their digest. */
  readonly cache: string;
  /** Directories on their way in. Nothing runs in them; leftovers of a crash are garbage. */
  readonly staging: string;
  readonly config: Config;
}

/** Works out the paths; with `create` also makes the directories. */
export async function openSite(config: Config, create: boolean): Promise<Site> {
  if (create) {
    await mkdir(config.root, { recursive: true, mode: 0o700 });
  }
  const root = await realpath(config.root).catch(() => resolve(config.root));
  const at = (name: string): string => join(root, name);
  const site = {
    root,
    machines: at('machines'),
    addresses: at('addresses'),
    images: at('images'),
    cache: at('cache'),
    staging: at('staging'),
    config,
  };
  if (create) {
    const folders = [site.machines, site.addresses, site.images, site.cache, site.staging];
    await Promise.all(folders.map((path) => mkdir(path, { recursive: true })));
  }
  return site;
}

export function runKey(owner: { engine: string; run: string }): string {
  return digest(owner.engine, owner.run);
}

/** The same launch always gives the same ids. */
export function machineId(site: Site, request: Pick<LaunchRequest, 'owner' | 'token'>, index: number): string {
  return `qemu-${runKey(request.owner)}-${digest(site.root, request.token, String(index))}`;
}

/** Ids come back from outside and become paths: this is what {@link machineId} makes. */
export function isMachineId(id: string): boolean {
  return /^qemu-[0-9a-f]{16}-[0-9a-f]{16}$/.test(id);
}

export function machineDirectory(site: Site, id: string): string {
  return join(site.machines, id);
}

/** 16 hexadecimal characters. */
export function digest(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
}
