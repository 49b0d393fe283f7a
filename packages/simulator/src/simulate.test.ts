import { expect, test } from 'vitest';
import { faultKinds } from './faults/kinds.ts';
import { openDatabase, simulate } from './simulate.ts';

const seeds = Array.from({ length: 12 }, (_, at) => at + 1);

test('a seed is replayed to the byte, whatever was simulated before it', async () => {
  const shared = await openDatabase();
  for (const seed of seeds) {
    const first = await simulate(seed, { traced: true, database: shared });
    const again = await simulate(seed, { traced: true });
    expect(again.trace?.text()).toBe(first.trace?.text());
    expect(again.events).toBe(first.events);
  }
  await shared.close();
});

test('tracing changes nothing', async () => {
  const traced = await simulate(3, { traced: true });
  const plain = await simulate(3);
  expect(plain.trace).toBeUndefined();
  expect([plain.events, plain.elapsed]).toEqual([traced.events, traced.elapsed]);
});

test('other seeds are other worlds', async () => {
  const traces = await Promise.all([1, 2].map(async (seed) => (await simulate(seed, { traced: true })).trace?.text()));
  expect(traces[0]).not.toBe(traces[1]);
});

test('faults and systems can be left out', async () => {
  const database = await openDatabase();
  const seed = await firstOf(async (at) => (await simulate(at, { database })).runs > 1);
  const { faults, mix, runs, violation } = await simulate(seed, { database, without: new Set(faultKinds), runs: 1 });
  expect([faults.size, mix.size, runs, violation]).toEqual([0, 0, 1, undefined]);
  await database.close();
});

async function firstOf(matches: (seed: number) => Promise<boolean>): Promise<number> {
  for (let seed = 1; ; seed++) if (await matches(seed)) return seed;
}
