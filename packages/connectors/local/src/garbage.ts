import { readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { orphanedClaims } from './address.ts';
import type { Site } from './site.ts';

const graceMs = 60_000;

/**
 * Removes what crashes left behind and nobody will miss: staged directories, in which nothing ever ran, and addresses claimed by
 * machines that are not there any more, whichever root they had.
 */
export async function sweep(site: Site, now: number): Promise<void> {
  const [orphans, staged] = await Promise.all([orphanedClaims(site, now), unlessMissing(readdir(site.staging))]);
  await Promise.all([
    ...orphans.map(({ address }) => unlessMissing(unlink(join(site.addresses, address)))),
    ...(staged ?? []).map((name) => removeIfOld(join(site.staging, name), now)),
  ]);
}

async function removeIfOld(path: string, now: number): Promise<void> {
  const found = await unlessMissing(stat(path));
  if (found !== undefined && now - found.mtimeMs > graceMs) {
    await rm(path, { recursive: true, force: true });
  }
}
