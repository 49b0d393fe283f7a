import { rm } from 'node:fs/promises';
import { staleStages } from '@paceline/connector-host';
import type { Site } from './site.ts';

/** Fetching a large disk may take some minutes. */
const graceMs = 3_600_000;

/** Removes what crashes left in the staging directory. */
export async function sweep(site: Site, now: number): Promise<void> {
  for (const path of await staleStages(site.staging, now, graceMs)) await rm(path, { recursive: true, force: true });
}
