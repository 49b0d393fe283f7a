import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { checkAborted, hasCode, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import type { RunOwner } from './run-owner.ts';
import { runKey, type Site } from './site.ts';
import { isSupervised, supervise, wakeSupervisor } from './supervisor.ts';
import { supervisorScript } from './supervisor-script.ts';
import type { ProcessTable } from './process-table.ts';

const patienceMs = 5_000;
const pollMs = 5;

/** The directory of a run: `resident/` for the agent, `members/` with a link to each machine, and the supervisor's files. */
export function runDirectory(site: Site, owner: RunOwner): string {
  return join(site.runs, runKey(owner));
}

export function residentDirectory(run: string): string {
  return join(run, 'resident');
}

/** Makes machines members of their run, and sees to it that a supervisor looks after them. */
export async function joinRun(
  site: Site,
  table: ProcessTable,
  owner: RunOwner,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const run = runDirectory(site, owner);
  const begin = performance.now();
  for (;;) {
    await createRun(site, run, owner);
    const joined = await Promise.all(ids.map((id) => joinOne(site, run, id)));
    if (joined.every(Boolean)) {
      break;
    }
    // The run's last machine has just left, and the supervisor is taking the directory away: wait, and make a new one.
    await waitForChange(site, table, run, begin, signal);
  }
  while (!(await isSupervised(table, run))) {
    checkPatience(run, begin, signal);
    await supervise(site, table, run);
  }
  await wakeSupervisor(run, 'members');
}

/** Takes machines out of their run. Returns when nothing of the run is left, if they were the last. */
export async function leaveRun(site: Site, table: ProcessTable, run: string, ids: readonly string[], signal: AbortSignal): Promise<void> {
  await Promise.all(ids.map((id) => unlessMissing(unlink(join(run, 'members', id)))));
  const begin = performance.now();
  while (await isEmptyRun(run)) {
    await waitForChange(site, table, run, begin, signal);
  }
}

/** True when the directory is there but no machine belongs to it any more. */
async function isEmptyRun(run: string): Promise<boolean> {
  const [there, members] = await Promise.all([unlessMissing(readdir(run)), unlessMissing(readdir(join(run, 'members')))]);
  return there !== undefined && (members ?? []).length === 0;
}

/** Appears at once with all that is in it, or not at all. */
async function createRun(site: Site, run: string, owner: RunOwner): Promise<void> {
  if ((await unlessMissing(readdir(run))) !== undefined) {
    return;
  }
  const staged = join(site.staging, `run-${randomUUID()}`);
  await mkdir(staged, { mode: 0o700 });
  await Promise.all(['members', 'resident', 'turns', 'tmp'].map((name) => mkdir(join(staged, name))));
  await writeFile(join(staged, 'run.json'), `${JSON.stringify({ engine: owner.engine, run: owner.run })}\n`);
  await writeFile(join(staged, 'supervise.sh'), supervisorScript);
  try {
    await rename(staged, run);
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) {
      throw error;
    }
  }
}

/** False when the run is at its end and takes nobody in any more. */
async function joinOne(site: Site, run: string, id: string): Promise<boolean> {
  try {
    await symlink(join(site.machines, id), join(run, 'members', id));
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return false;
    }
    if (hasCode(error, 'EEXIST')) {
      return true;
    }
    throw error;
  }
}

/** Lets the supervisor, or a successor if it is dead, take an empty run away. */
async function waitForChange(site: Site, table: ProcessTable, run: string, begin: number, signal: AbortSignal): Promise<void> {
  checkPatience(run, begin, signal);
  await supervise(site, table, run);
  await wakeSupervisor(run, 'members');
  await pause(pollMs);
}

function checkPatience(run: string, begin: number, signal: AbortSignal): void {
  checkAborted(signal, 'wait for the supervisor of a run');
  if (performance.now() - begin > patienceMs) {
    throw new ConnectorError('timeout', `The supervisor of ${run} does not answer`, {
      hint: `Its log is ${run}/supervisor.log.`,
    });
  }
}
