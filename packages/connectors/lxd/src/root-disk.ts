import { profileSchema } from './answer.ts';
import type { Client } from './client.ts';
import type { Config } from './config.ts';
import type { Device } from './instance-request.ts';

/** The root disk that the profiles give; of devices of the same name the last counts. */
export async function findRootDisk(
  client: Client,
  { profiles }: Config,
  signal: AbortSignal,
): Promise<{ name: string; device: Device } | undefined> {
  const found = await Promise.all(
    profiles.map((name) => client.get(`look up profile ${name}`, `/1.0/profiles/${encodeURIComponent(name)}`, profileSchema, { signal })),
  );
  const devices = new Map(found.flatMap((profile) => Object.entries(profile.devices ?? {})));
  const disk = [...devices].find(([, { type, path }]) => type === 'disk' && path === '/');
  return disk && { name: disk[0], device: disk[1] };
}
