import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { open, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { hasCode, unlessMissing } from '@paceline/connector-host';
import { cleanEnvironment } from './environment.ts';
import type { ProcessTable } from './process-table.ts';
import type { Site } from './site.ts';

const pollMs = 2;

/** Whether somebody looks after this run: the holder of the highest turn (see the script) lives. */
export async function isSupervised(table: ProcessTable, run: string): Promise<boolean> {
  const turns = (await unlessMissing(readdir(join(run, 'turns')))) ?? [];
  const last = turns.toSorted().at(-1);
  const holder = last === undefined ? undefined : await unlessMissing(readlink(join(run, 'turns', last)));
  const [pid, start] = holder?.split('.') ?? [];
  // The shell writes 0 where it has no /proc to read a start time from.
  return pid !== undefined && table.isAlive({ pid: Number(pid), start: start === undefined || start === '0' ? '' : start });
}

/**
 * Starts a supervisor unless one is there. Of several started at once, all but one end by themselves. Returns when it has its turn, or
 * ended: before that, machines of the run would seem to be abandoned.
 */
export async function supervise(site: Site, table: ProcessTable, run: string): Promise<void> {
  if (await isSupervised(table, run)) {
    return;
  }
  let log: number;
  try {
    log = openSync(join(run, 'supervisor.log'), 'a');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return; // the run has just ended
    }
    throw error;
  }
  try {
    const child = spawn('/bin/sh', ['supervise.sh', site.node, site.staging], {
      cwd: run,
      detached: true,
      stdio: ['ignore', log, log],
      env: cleanEnvironment(run, join(run, 'tmp')),
    });
    // No such directory: the run has just ended.
    if ((await unlessMissing(started(child))) === undefined) {
      return;
    }
    child.unref();
    while (child.exitCode === null && child.signalCode === null && !(await isSupervised(table, run))) {
      await pause(pollMs);
    }
  } finally {
    closeSync(log);
  }
}

/** Tells the supervisor that there is something to do. Nothing is lost if there is none yet: it begins by looking round. */
export async function wakeSupervisor(run: string, event: 'members' | 'boot'): Promise<void> {
  const path = join(run, 'wake');
  if (!(await unlessMissing(stat(path)))?.isFIFO()) {
    return;
  }
  // Read-write opens a fifo without waiting for a reader; non-blocking, so that a stopped supervisor cannot hold up anybody.
  const file = await unlessMissing(open(path, constants.O_RDWR | constants.O_NONBLOCK));
  try {
    if (file !== undefined) {
      writeSync(file.fd, `${event}\n`);
    }
  } catch (error) {
    if (!hasCode(error, 'EAGAIN')) {
      throw error;
    }
  } finally {
    await file?.close();
  }
}

/** Rejects when the program could not be started. */
export function started(child: ChildProcess): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child));
    child.once('error', reject);
  });
}
