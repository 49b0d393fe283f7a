import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import * as z from 'zod';
import type { Site } from './site.ts';

const ownerSchema = z.object({ engine: z.string(), run: z.string() });

/** Whose run it is: the content of `run.json`. */
export type RunOwner = z.infer<typeof ownerSchema>;

/** Every run that has a directory here, with its owner. */
export async function listRuns(site: Site): Promise<{ key: string; owner: RunOwner }[]> {
  const keys = (await unlessMissing(readdir(site.runs))) ?? [];
  const owners = await Promise.all(keys.map((key) => readOwner(join(site.runs, key))));
  return keys.flatMap((key, at) => {
    const owner = owners[at];
    return owner ? [{ key, owner }] : [];
  });
}

export async function readOwner(run: string): Promise<RunOwner | undefined> {
  const text = await unlessMissing(readFile(join(run, 'run.json'), 'utf8'));
  try {
    return text === undefined ? undefined : ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
