import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, unlessMissing } from '@paceline/connector-host';
import * as z from 'zod';
import { writePrograms } from './programs.ts';
import { runDirectory, type Site } from './site.ts';

const ownerSchema = z.object({ engine: z.string(), run: z.string() });

/** Whose run it is: the content of `run.json`. */
export type RunOwner = z.infer<typeof ownerSchema>;

/** Makes the directory of a run, which appears at once with all that is in it. Returns its path. */
export async function createRun(site: Site, owner: RunOwner): Promise<string> {
  const run = runDirectory(site, owner);
  if ((await unlessMissing(readdir(join(run, 'machines')))) !== undefined) {
    return run;
  }
  // What is there without this directory was left half-way by whoever removed it.
  await removeRun(run);
  const staged = join(site.staging, `run-${randomUUID()}`);
  await mkdir(staged, { mode: 0o700 });
  await Promise.all(['machines', 'mnt'].map((name) => mkdir(join(staged, name))));
  await writeFile(join(staged, 'run.json'), `${JSON.stringify({ engine: owner.engine, run: owner.run })}\n`);
  await writePrograms(staged);
  try {
    await rename(staged, run);
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) {
      throw error;
    }
  }
  return run;
}

/**
 * Removes the directory of a run unless it has machines; false if it has. Removing the directory of the machines decides it: a launch
 * that comes later cannot put its machine there and makes another run. All else goes by the descriptor of the directory, so that nothing
 * of that other one can be meant.
 */
export async function removeRun(run: string): Promise<boolean> {
  await using directory = await unlessMissing(open(run));
  if (directory === undefined) {
    return true;
  }
  const within = `/proc/self/fd/${directory.fd}`;
  try {
    await unlessMissing(rmdir(`${within}/machines`));
  } catch (error) {
    if (hasCode(error, 'ENOTEMPTY')) {
      return false;
    }
    throw error;
  }
  const rest = (await unlessMissing(readdir(within))) ?? [];
  await Promise.all(rest.map((name) => rm(`${within}/${name}`, { recursive: true, force: true })));
  await unlessMissing(rmdir(run)).catch((error: unknown) => {
    if (!hasCode(error, 'ENOTEMPTY')) {
      throw error;
    }
  });
  return true;
}

/** Every run that has a directory here, with its owner. */
export async function listRuns(site: Site): Promise<{ key: string; owner: RunOwner }[]> {
  const keys = (await unlessMissing(readdir(site.runs))) ?? [];
  const owners = await Promise.all(keys.map((key) => readOwner(join(site.runs, key))));
  return keys.flatMap((key, at) => {
    const owner = owners[at];
    return owner ? [{ key, owner }] : [];
  });
}

async function readOwner(run: string): Promise<RunOwner | undefined> {
  const text = await unlessMissing(readFile(join(run, 'run.json'), 'utf8'));
  try {
    return text === undefined ? undefined : ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
