import { setTimeout as pause } from 'node:timers/promises';
import { checkAborted, hasCode } from '@paceline/connector-host';
import type { ProcessEntry, ProcessTable } from './process-table.ts';

const graceMs = 2_000;
const patienceMs = 10_000;
const pollMs = 10;

/**
 * Ends every process that `select` finds, and those that it finds afterwards, until there is none: SIGTERM first, SIGKILL to whatever
 * lives 2 s later. Returns as soon as all are gone, or with those that cannot be ended: they belong to another user, or do not
 * even die of SIGKILL.
 */
export async function endProcesses(
  table: ProcessTable,
  select: (entries: ProcessEntry[]) => ProcessEntry[],
  signal: AbortSignal,
): Promise<ProcessEntry[]> {
  const begin = performance.now();
  const asked = new Set<string>();
  const beyond = new Map<string, ProcessEntry>();
  for (;;) {
    const victims = select(await table.snapshot()).filter((victim) => !beyond.has(nameOf(victim)));
    const elapsed = performance.now() - begin;
    if (victims.length === 0 || elapsed > patienceMs) {
      return [...beyond.values(), ...victims];
    }
    const force = elapsed >= graceMs;
    for (const victim of victims) {
      if ((force || !asked.has(nameOf(victim))) && !send(table, victim, force ? 'SIGKILL' : 'SIGTERM')) {
        beyond.set(nameOf(victim), victim);
      }
      asked.add(nameOf(victim));
    }
    await allGone(
      table,
      victims.filter((victim) => !beyond.has(nameOf(victim))),
      force ? 500 : graceMs - elapsed,
      signal,
    );
  }
}

function nameOf(entry: ProcessEntry): string {
  return `${entry.pid}.${entry.start}`;
}

/** Waits until none of them lives, at most `ms`. Looks at these few only: a whole scan comes again afterwards. */
async function allGone(table: ProcessTable, victims: ProcessEntry[], ms: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end && victims.some((victim) => table.isAlive(victim))) {
    checkAborted(signal, 'end the processes of machines');
    await pause(pollMs);
  }
}

/** False when the process belongs to somebody else. */
function send(table: ProcessTable, victim: ProcessEntry, signal: NodeJS.Signals): boolean {
  try {
    // The pid may have gone to another process since the scan.
    return !table.isAlive(victim) || process.kill(victim.pid, signal);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) {
      return true;
    }
    if (hasCode(error, 'EPERM')) {
      return false;
    }
    throw error;
  }
}
