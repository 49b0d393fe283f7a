import { parentPort, workerData } from 'node:worker_threads';
import type { Violation } from '../checks/checks.ts';
import type { FaultKind } from '../faults/kinds.ts';
import { openDatabase, simulate } from '../simulate.ts';
import { add, emptyTally, tallyOf, type Tally } from './tally.ts';

export interface WorkerTask {
  without: FaultKind[];
  systems: number | undefined;
}

/** A piece of the campaign. */
export interface Piece {
  from: number;
  count: number;
}

export interface Found {
  seed: number;
  violation: Violation;
}

export interface PieceResult {
  tally: Tally;
  found: Found[];
}

const { without, systems } = workerData as WorkerTask;
const database = await openDatabase();

parentPort?.on('message', ({ from, count }: Piece) => {
  void work(from, count).then((result) => parentPort?.postMessage(result));
});

async function work(from: number, count: number): Promise<PieceResult> {
  const result: PieceResult = { tally: emptyTally(), found: [] };
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await simulate(seed, { database, without: new Set(without), ...(systems === undefined ? {} : { runs: systems }) });
    add(result.tally, tallyOf(outcome));
    if (outcome.violation !== undefined) result.found.push({ seed, violation: outcome.violation });
  }
  return result;
}
