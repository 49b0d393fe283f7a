import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Bench } from '../testing/bench.ts';

test('the engine makes no mistakes', () => {
  const bench = new Bench();
  bench.checks.warned(bench.engine, 'The database fails: it is tried again');
  expect(bench.broken).toBeUndefined();
  bench.checks.warned(bench.engine, 'TypeError: Cannot read properties of undefined');
  expect(bench.broken).toBe('the engine makes no mistakes');
});

test('the first violation counts, and ends the simulation', async () => {
  const bench = new Bench();
  bench.checks.fail('one', 'first');
  bench.checks.fail('two', 'second');
  expect(bench.checks.violation).toEqual({ invariant: 'one', what: 'first', at: 0 });
  bench.kernel.after(1, () => expect.unreachable());
  expect(await bench.kernel.run({ ms: 10, events: 10 })).toBe('stopped');
});

test('every check here has a test that breaks its invariant', () => {
  const sources = globSync('*.ts', { cwd: import.meta.dirname });
  const text = (test: boolean): string =>
    sources
      .filter((file) => file.endsWith('.test.ts') === test)
      .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
      .join('\n');
  const invariants = new Set([...text(false).matchAll(/\.fail\(\s*'([^']+)'/g)].map(([, invariant = '']) => invariant));
  expect(invariants.size).toBeGreaterThan(40);
  const tested = text(true);
  expect([...invariants].filter((invariant) => !tested.includes(`'${invariant}'`))).toEqual([]);
});
