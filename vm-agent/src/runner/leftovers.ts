import type { Clock } from '../clock.ts';
import { leftovers } from './machine.ts';
import { tried } from '../tried.ts';

/** End every process that came from this instance's scripts, daemons included: SIGTERM, and SIGKILL after the grace. */
export async function sweep(marks: string[], sessions: ReadonlySet<number>, clock: Clock, graceMs: number): Promise<void> {
  for (let waited = 0; ; waited += 100) {
    const left = leftovers(marks, sessions);
    if (left.length === 0) return;
    if (waited === 0) kill(left, 'SIGTERM');
    if (waited >= graceMs) {
      kill(left, 'SIGKILL');
      // What a kill cannot end (a dead disk), nothing can.
      if (waited >= 2 * graceMs) return;
    }
    await clock.sleep(100);
  }
}

function kill(pids: number[], signal: NodeJS.Signals): void {
  for (const pid of pids) tried(() => process.kill(pid, signal));
}
