import { enableCompileCache, flushCompileCache, registerHooks, type LoadFnOutput } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { edited, editsOf } from './catalogue.ts';
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

// Every mutant has a thread of its own, which loads all of the engine: what is the same in each is compiled once.
enableCompileCache();

// The engine that is loaded from here on has the mistake in it.
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const edits = editsOf(mutant).filter(({ file }) => url.endsWith(`/engine/src/${file}`));
    return edits.length === 0 ? loaded : { ...loaded, source: edits.reduce(edited, sourceOf(loaded)) };
  },
});

function sourceOf({ source }: LoadFnOutput): string {
  return typeof source === 'string' ? source : new TextDecoder().decode(source);
}

const { faultsOf, openDatabase, simulate } = await import('../simulate.ts');

flushCompileCache();

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
  for (let seed = first, tried = 0; tried < seeds; seed += 1) {
    if (mutant.needs?.every((kind) => faultsOf(seed).kinds.has(kind)) === false) continue;
    tried += 1;
    yield seed;
  }
}
