import { expect, test } from 'vitest';
import { Bench, runId, statement, type Commit } from '../testing/bench.ts';
import type { Facts } from './stored.ts';

const all = ['server.1', 'client.1', 'client.2'];

/** A run whose machines have all joined, in Executing. */
function executing(facts: Partial<Facts> = {}, plan: ConstructorParameters<typeof Bench>[1] = {}): Bench {
  const bench = new Bench({ state: 'Provisioning', seq: 2, ...facts }, plan);
  bench.join();
  bench.enter('Executing');
  return bench;
}

const abortOf = (bench: Bench, reason: string): Commit => ({
  facts: { abort: { reason, source: 'ss:abort', at: bench.kernel.now } },
  events: [{ type: 'run.abort', data: { reason, source: 'ss:abort' } }],
});
const complete = (bench: Bench, names: readonly string[]): void =>
  names.forEach((instance) => bench.checks.agents.completing({ run: runId, instance }, bench.facts.seq));

test('a barrier opens when all have come', () => {
  const early = executing();
  complete(early, all.slice(0, 2));
  early.enter('SendingReports');
  expect(early.broken).toBe('a barrier opens when all have come');
  const right = executing();
  complete(right, all);
  right.enter('SendingReports');
  expect(right.broken).toBeUndefined();
});

test('a barrier opens when all have come: scripts begin when every address is known', () => {
  const bench = new Bench({ state: 'Provisioning', seq: 2 });
  bench.commit({ instances: Object.fromEntries(all.map((name) => [name, { keyHash: name }])) });
  bench.enter('Executing');
  expect(bench.broken).toBe('a barrier opens when all have come');
});

test('a barrier opens when all have come: a run ends when its machines are gone', () => {
  const bench = new Bench({ state: 'Finalizing', seq: 6, outcome: 'Done' });
  bench.commit({ instances: { 'server.1': { machine: { status: 'gone' } }, 'client.1': { machine: { status: 'gone' } } } });
  bench.enter('Done', { facts: { endedAt: 1 } });
  expect(bench.broken).toBe('a barrier opens when all have come');
});

test('a barrier waits for nobody once scripts have had their time to stop', async () => {
  const bench = executing();
  bench.checks.runs.aborting(runId, 'enough');
  bench.commit(abortOf(bench, 'enough'));
  await bench.until(16_000);
  bench.enter('SendingReports');
  expect(bench.broken).toBeUndefined();
});

test('states come in their order', () => {
  const bench = new Bench({ state: 'Ready', seq: 5 });
  bench.enter('Executing');
  expect(bench.broken).toBe('states come in their order');
});

test('every state has its event', () => {
  const bench = new Bench();
  bench.commit({ facts: { state: 'Provisioning' } });
  expect(bench.broken).toBe('every state has its event');
});

test.each([
  { lastEvent: 3, seq: 2 },
  { lastEvent: 2, seq: 3 },
])('events are numbered without gaps: $seq of $lastEvent', ({ lastEvent, seq }) => {
  const bench = new Bench();
  bench.store(
    bench.engine,
    statement('UPDATE runs SET facts', JSON.stringify({ ...bench.facts, lastEvent }), '', null, runId, 0),
    statement('INSERT INTO events', runId, seq, 0, '{"type":"instance.message","message":""}'),
  );
  expect(bench.broken).toBe('events are numbered without gaps');
});

test('a run that has ended stays as it is', () => {
  const bench = new Bench({ state: 'Done', endedAt: 1, outcome: 'Done' });
  bench.commit({});
  expect(bench.broken).toBe('a run that has ended stays as it is');
});

test('two replicas never act for one run', () => {
  const bench = new Bench();
  bench.commit({ by: bench.other });
  expect(bench.broken).toBe('two replicas never act for one run');
  const taken = new Bench();
  taken.store(taken.other, statement('UPDATE runs SET owner', 'replica', runId, 0));
  taken.commit({ by: taken.other });
  expect(taken.broken).toBeUndefined();
  taken.commit({ by: taken.engine });
  expect(taken.broken).toBe('two replicas never act for one run');
});

test('the first reason of an abort wins', () => {
  const bench = executing();
  for (const reason of ['one', 'two']) bench.checks.runs.aborting(runId, reason);
  bench.commit(abortOf(bench, 'one'));
  expect(bench.broken).toBeUndefined();
  bench.commit(abortOf(bench, 'two'));
  expect(bench.broken).toBe('the first reason of an abort wins');
});

test('every abort has its event', () => {
  const bench = executing();
  bench.commit({ ...abortOf(bench, 'one'), events: [] });
  expect(bench.broken).toBe('every abort has its event');
});

test('every abort has a reason that is true', () => {
  const bench = executing();
  bench.commit(abortOf(bench, 'nobody said so'));
  expect(bench.broken).toBe('every abort has a reason that is true');
});

test('nobody takes an abort back unasked', () => {
  for (const asked of [true, false]) {
    const bench = executing();
    bench.checks.runs.aborting(runId, 'enough');
    bench.commit(abortOf(bench, 'enough'));
    if (asked) bench.checks.runs.cancellingAbort(runId);
    bench.commit({ facts: { abort: null }, events: [{ type: 'run.abort-cancelled', data: { source: 'ss:abort' } }] });
    expect(bench.broken).toBe(asked ? undefined : 'nobody takes an abort back unasked');
  }
});

test('a run times out when its time is over', async () => {
  const early = executing({}, { timeoutMs: 60_000 });
  await early.until(50_000);
  early.commit(abortOf(early, 'The run has timed out in Executing'));
  expect(early.broken).toBe('a run times out when its time is over');
  const right = executing({}, { timeoutMs: 60_000 });
  await right.until(60_001);
  right.commit(abortOf(right, 'The run has timed out in Executing'));
  expect(right.broken).toBeUndefined();
});

test('a stall is found, and nothing else is called one', async () => {
  const stall = async (bench: Bench, ms: number): Promise<void> => {
    for (const instance of all) bench.checks.scripts.waiting({ run: runId, instance }, new Set(['server.1:ready']));
    await bench.until(ms);
  };
  const missed = executing({}, { timeoutMs: 300_000 });
  await stall(missed, 300_001);
  missed.commit(abortOf(missed, 'The run has timed out in Executing'));
  expect(missed.broken).toBe('a stall is found');

  const found = executing();
  await stall(found, 10_000);
  found.commit(abortOf(found, 'The run cannot go on'));
  expect(found.broken).toBeUndefined();

  const busy = executing();
  await stall(busy, 10_000);
  busy.checks.scripts.waiting({ run: runId, instance: 'client.2' }, new Set());
  busy.commit(abortOf(busy, 'The run cannot go on'));
  expect(busy.broken).toBe('a run is called stalled only when it is');

  const computes = executing();
  await stall(computes, 10_000);
  computes.checks.scripts.computing({ run: runId, instance: 'server.1' }, 1);
  computes.commit(abortOf(computes, 'The run cannot go on'));
  expect(computes.broken).toBe('a run is called stalled only when it is');

  const elsewhere = executing();
  await stall(elsewhere, 10_000);
  elsewhere.checks.scripts.computing({ run: runId, instance: 'client.1' }, 1);
  elsewhere.commit(abortOf(elsewhere, 'The run cannot go on'));
  expect(elsewhere.broken).toBeUndefined();
});

test('a run times out when its time is over, and not much later', async () => {
  const late = executing({}, { timeoutMs: 60_000 });
  await late.until(64_000);
  expect(late.broken).toBeUndefined();
  const missed = executing({}, { timeoutMs: 60_000 });
  await missed.until(66_000);
  expect(missed.broken).toBe('a run times out when its time is over');
});

test.each<[string, (bench: Bench) => void, Commit]>([
  [
    'an abort that is acknowledged is stored',
    ({ checks }) => checks.runs.abortAcknowledged(runId),
    { facts: { abort: { reason: 'n1.1: enough', source: 'ss:abort', at: 0 } }, events: [abortEvent('n1.1: enough')] },
  ],
  ['the end of a run that is acknowledged is stored', ({ checks }) => checks.runs.endAcknowledged(runId), { facts: { outcome: 'Done' } }],
  [
    'a completion that is acknowledged is stored',
    ({ checks, facts }) => checks.runs.completionAcknowledged(runId, 'server.1', facts.seq),
    { instances: { 'server.1': { completed: 3 } } },
  ],
])('%s', (invariant, acknowledge, commit) => {
  const right = executing();
  right.commit(commit);
  acknowledge(right);
  expect(right.broken).toBeUndefined();
  const wrong = executing();
  acknowledge(wrong);
  expect(wrong.broken).toBe(invariant);
});

test('what can work does, when nothing goes wrong', () => {
  const bench = executing();
  bench.checks.runs.aborting(runId, 'who knows why');
  bench.commit(abortOf(bench, 'who knows why'));
  bench.checks.finish([], false);
  expect(bench.broken).toBeUndefined();
  bench.checks.finish([], true);
  expect(bench.broken).toBe('what can work does, when nothing goes wrong');
});

function abortEvent(reason: string): NonNullable<Commit['events']>[number] {
  return { type: 'run.abort', data: { reason, source: 'ss:abort' } };
}
