import { expect, test } from 'vitest';
import { Bench, runId, statement } from '../testing/bench.ts';

const who = { run: runId, instance: 'server.1' };

test('no script begins before every hostname is known', () => {
  for (const joined of [true, false]) {
    const bench = new Bench({ state: 'Executing', seq: 3 });
    if (joined) bench.join();
    bench.checks.scripts.begun(who, { seq: 3, step: '1 deploy' });
    expect(bench.broken).toBe(joined ? undefined : 'no script begins before every hostname is known');
  }
});

test('no script runs twice to success', () => {
  const bench = new Bench();
  bench.checks.scripts.succeeded(who, { seq: 3, step: '1 deploy' });
  bench.checks.scripts.succeeded(who, { seq: 4, step: '1 deploy' });
  expect(bench.broken).toBeUndefined();
  bench.checks.scripts.succeeded(who, { seq: 3, step: '1 deploy' });
  expect(bench.broken).toBe('no script runs twice to success');
});

test.each([
  ['again', 0],
  ['with a gap', 6],
])('output is stored once, without gaps: not %s', (_, start) => {
  const output = (bench: Bench, at: number): void =>
    bench.store(bench.engine, statement('INSERT INTO logs', runId, 1, 'server.1', '1 deploy', 'stdout', at, 5, 0, 'hello'));
  const bench = new Bench();
  output(bench, 0);
  output(bench, 5);
  expect(bench.broken).toBeUndefined();
  output(bench, start);
  expect(bench.broken).toBe('output is stored once, without gaps');
});
