import type { Database } from '@paceline/engine';
import type { FaultKind } from '../faults/kinds.ts';
import { simulate, type Outcome } from '../simulate.ts';

/** The least of a seed that still breaks the same invariant. */
export interface Shrunk {
  outcome: Outcome;
  without: Set<FaultKind>;
  systems: number | undefined;
}

/** Leaves out systems, and kinds of faults one by one, for as long as the same invariant is broken. */
export async function shrink(found: Outcome, database: Database, without: readonly FaultKind[], systems?: number): Promise<Shrunk> {
  const best: Shrunk = { outcome: found, without: new Set(without), systems };
  const attempt = async (next: Set<FaultKind>, count: number | undefined): Promise<boolean> => {
    const outcome = await simulate(found.seed, { database, without: next, ...(count === undefined ? {} : { runs: count }) });
    if (outcome.violation?.invariant !== found.violation?.invariant) return false;
    Object.assign(best, { outcome, without: next, systems: count });
    return true;
  };
  for (let count = 1; count < found.runs && count < (systems ?? Number.POSITIVE_INFINITY); count++) {
    if (await attempt(best.without, count)) break;
  }
  for (const kind of found.mix.keys()) await attempt(new Set([...best.without, kind]), best.systems);
  return best;
}
