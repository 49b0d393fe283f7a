import { rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { staleStages, unlessMissing } from '@paceline/connector-host';
import { orphanedClaims } from './address.ts';
import type { Site } from './site.ts';

const graceMs = 60_000;

/**
 * Removes what crashes left behind and nobody will miss: staged directories, in which nothing ever ran, and addresses claimed by
 * machines that are not there any more, whichever root they had.
 */
export async function sweep(site: Site, now: number): Promise<void> {
  const [orphans, staged] = await Promise.all([orphanedClaims(site, now), staleStages(site.staging, now, graceMs)]);
  await Promise.all([
    ...orphans.map(({ address }) => unlessMissing(unlink(join(site.addresses, address)))),
    ...staged.map((path) => rm(path, { recursive: true, force: true })),
  ]);
}
