import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LaunchRequest } from '@paceline/engine/connector';

/** What lies on its way for longer was left by a crash, and what nobody has used for longer may go, in milliseconds. */
export const staleMs = 60 * 60_000;

/** Where everything lies. */
export interface Site {
  readonly root: string;
  /** One directory per machine, with its state. */
  readonly machines: string;
  /** Copies of modules with their providers, by what is in them. */
  readonly modules: string;
  /** Directories on their way in or out. */
  readonly staging: string;
}

export function siteOf(root: string): Site {
  return { root, machines: join(root, 'machines'), modules: join(root, 'modules'), staging: join(root, 'staging') };
}

/** Only for this user: what providers write into a state may be secret. */
export async function makeSite({ root, machines, modules, staging }: Site): Promise<void> {
  for (const path of [root, machines, modules, staging]) await mkdir(path, { recursive: true, mode: 0o700 });
}

/** The same launch always gives the same ids. */
export function machineId({ token }: Pick<LaunchRequest, 'token'>, index: number): string {
  return `tf-${createHash('sha256').update(`${token} ${index}`).digest('hex').slice(0, 20)}`;
}

/** Ids come back from outside and become paths: this is what {@link machineId} makes. */
export function isMachineId(id: string): boolean {
  return /^tf-[0-9a-f]{20}$/.test(id);
}
