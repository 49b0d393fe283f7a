import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Figure } from './table.ts';

/** What one simulated run costs the engine that drives it. */
export interface Cost {
  /** From the request to Done, in ms of processor time. */
  cpuMs: number;
  /** Beyond what the process had before, in KiB, when all are Ready. */
  heapKiB: number;
}

/** Runs of these sizes in one engine process, each in a process of its own: what an instance costs should not depend on their number. */
export async function curve(sizes: number[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const size of sizes) {
    const child = fork(new URL('./curve-process.ts', import.meta.url), [String(size)], {
      execArgv: ['--conditions=@paceline/source', '--disable-warning=ExperimentalWarning', '--expose-gc'],
    });
    const [{ cpuMs, heapKiB }] = (await once(child, 'message')) as [Cost];
    figures.push({
      metric: `a run of ${size} instances, simulated, from request to Done`,
      value: `${(cpuMs / size).toFixed(2)} ms CPU, ${(heapKiB / size).toFixed(1)} KiB each`,
      limit: 'SQLite in memory, joining, four states, a value and an exchange each',
    });
  }
  return figures;
}
