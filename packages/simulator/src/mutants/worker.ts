import { registerHooks, type LoadFnOutput } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { mutated } from './catalogue.ts';
import type { Mutant } from './mutant.ts';

export interface MutantTask {
  mutant: Mutant;
  /** Tried before the others. */
  known: number | undefined;
  /** The first seed, and how many. */
  seed: number;
  seeds: number;
}

/** How a mutant was caught, if it was. */
export interface Catch {
  seed: number;
  invariant: string;
}

const { mutant, known, seed: first, seeds } = workerData as MutantTask;

// The engine that is loaded from here on has the mistake in it.
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith(`/engine/src/${mutant.file}`)) return loaded;
    return { ...loaded, source: mutated(sourceOf(loaded), mutant) };
  },
});

function sourceOf({ source }: LoadFnOutput): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}

const { openDatabase, simulate } = await import('../simulate.ts');

const database = await openDatabase();
let caught: Catch | undefined;
for (const seed of candidates()) {
  const { violation } = await simulate(seed, { database });
  if (violation === undefined) continue;
  caught = { seed, invariant: violation.invariant };
  break;
}
parentPort?.postMessage(caught ?? null);

function* candidates(): Generator<number> {
  if (known !== undefined) yield known;
  for (let seed = first; seed < first + seeds; seed += 1) yield seed;
}
