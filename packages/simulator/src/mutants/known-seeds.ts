import { readFileSync, writeFileSync } from 'node:fs';
import type { Catch } from './worker.ts';

const file = new URL('seeds.json', import.meta.url);

/** By the name of a mutant, the seed that caught it when that was last recorded, and the invariant that it broke. */
export type KnownSeeds = Record<string, Catch>;

export function readKnownSeeds(): KnownSeeds {
  return JSON.parse(readFileSync(file, 'utf8')) as KnownSeeds;
}

export function writeKnownSeeds(seeds: KnownSeeds): void {
  const sorted = Object.fromEntries(Object.entries(seeds).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
}
