import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import type { Site } from './site.ts';

/** Fetching a large disk may take some minutes. */
const graceMs = 3_600_000;

/** Removes what crashes left in the staging directory, where nothing ever ran. */
export async function sweep(site: Site, now: number): Promise<void> {
  for (const name of (await unlessMissing(readdir(site.staging))) ?? []) {
    const found = await unlessMissing(stat(join(site.staging, name)));
    if (found !== undefined && now - found.mtimeMs > graceMs) {
      await rm(join(site.staging, name), { recursive: true, force: true });
    }
  }
}
