import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { checkAborted } from '@paceline/connector-host';

const pollMs = 10;

/**
 * The processes of machines, by id: those that were started with the id as an argument. Nothing has to be written down for
 * that, so nothing is lost in a crash, and no process with a number that was used before is taken for one of them.
 */
export async function findProcesses(ids: ReadonlySet<string>): Promise<Map<string, number[]>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found = new Map<string, number[]>();
  await Promise.all(
    pids.map(async (pid) => {
      // Of a process that has ended this is empty, or not there.
      const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
      const id = command.split('\0').find((argument) => ids.has(argument));
      if (id !== undefined) {
        found.set(id, [...(found.get(id) ?? []), Number(pid)]);
      }
    }),
  );
  return found;
}

/** Ends all processes of machines, and waits until none is left. */
export async function endProcesses(ids: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
  for (;;) {
    const pids = [...(await findProcesses(ids)).values()].flat();
    if (pids.length === 0) {
      return;
    }
    checkAborted(signal, 'end machines');
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
          throw error;
        }
      }
    }
    await pause(pollMs);
  }
}
