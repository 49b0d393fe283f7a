import { expect, test } from 'vitest';
import { Bench, statement } from '../testing/bench.ts';

const add = statement('INSERT INTO replicas (id, url, beats)', 'one', 'http://one.test', 0);
const beat = statement('UPDATE replicas SET url = ?, beats = ? WHERE id = ?', 'http://one.test', 1, 'one');
const bury = statement('DELETE FROM replicas WHERE id = ? AND beats = ?', 'one', 1);

test('nobody is taken for dead who gives signs of life', async () => {
  for (const silentMs of [9000, 11_000]) {
    const bench = new Bench();
    bench.store(bench.engine, add);
    bench.store(bench.engine, beat);
    await bench.until(silentMs);
    bench.store(bench.other, bury);
    expect(bench.broken).toBe(silentMs < 10_000 ? 'nobody is taken for dead who gives signs of life' : undefined);
  }
});

test('who goes takes itself away at once', () => {
  const bench = new Bench();
  bench.store(bench.engine, add, beat);
  bench.store(bench.engine, bury);
  expect(bench.broken).toBeUndefined();
});
