import type { Assignment } from '@paceline/api/agent';
import { expect, test } from 'vitest';
import { Bench, runId } from '../testing/bench.ts';
import type { Link } from './links.ts';

const work = (seq: number): Assignment => ({ seq, state: 'Initializing', abort: null, steps: [], completed: false });

function greeted(bench: Bench): Link {
  const link = bench.checks.links.opened(bench.engine, runId, 'client.1');
  bench.checks.links.told(link, 'hello', { session: 'session', assignment: work(1), lastOp: 0, logs: {} });
  return link;
}

/** The agent asks for a value that is not there. */
function waits(bench: Bench, key: string): void {
  const request = { session: 'session', ops: [{ op: 'get' as const, key, wait: true, ignoreAbort: false }] };
  const since = bench.checks.links.said(runId, 'client.1', request);
  bench.checks.links.answered(runId, 'client.1', request, [{ status: 'unset' }], since);
}

const setReady = (bench: Bench): void => {
  bench.commit({ parameters: { 'server.1:ready': bench.parameters.writing(runId, 'server.1:ready', false).value } });
};

test.each([
  ['told', undefined],
  ['lost', 'no waiter is lost, no work untold'],
])('a waiter is %s', async (fate, invariant) => {
  const bench = new Bench();
  const link = greeted(bench);
  waits(bench, 'client.1:server.ready');
  setReady(bench);
  if (fate === 'told') bench.checks.links.told(link, 'value', { key: 'client.1:server.ready', value: 'server.1:ready#1', secret: false });
  await bench.until(120_000);
  expect(bench.broken).toBe(invariant);
});

test.each([
  [['client.1'], undefined],
  [['client.1', 'client.2'], 'no waiter is lost, no work untold'],
])('a waiter for the values of a node is lost when the last of them has come: %s', async (set, invariant) => {
  const bench = new Bench();
  greeted(bench);
  const request = { session: 'session', ops: [{ op: 'getAll' as const, node: 'client', name: 'port', wait: true, ignoreAbort: false }] };
  bench.checks.links.answered(runId, 'client.1', request, [{ status: 'values', values: {}, unset: ['1', '2'] }], 0);
  for (const name of set) bench.commit({ parameters: { [`${name}:port`]: bench.parameters.writing(runId, `${name}:port`, false).value } });
  await bench.until(120_000);
  expect(bench.broken).toBe(invariant);
});

test.each(['abort', 'leave', 'state'] as const)('no work untold: %s', async (news) => {
  const bench = new Bench();
  greeted(bench);
  if (news === 'leave') bench.commit({ facts: { outcome: 'Cancelled' } });
  else if (news === 'state') bench.enter('Provisioning');
  else {
    bench.checks.runs.aborting(runId, 'enough');
    bench.commit({
      facts: { abort: { reason: 'enough', source: 'ss:abort', at: 0 } },
      events: [{ type: 'run.abort', data: { reason: 'enough', source: 'ss:abort' } }],
    });
  }
  expect(bench.broken).toBeUndefined();
  await bench.until(120_000);
  expect(bench.broken).toBe('no waiter is lost, no work untold');
});

test('nobody is owed anything who is not connected, or whose engine does not drive the run', async () => {
  const gone = new Bench();
  gone.checks.links.closed(greeted(gone));
  gone.enter('Provisioning');
  await gone.until(120_000);
  expect(gone.broken).toBeUndefined();
  const asleep = new Bench();
  greeted(asleep);
  asleep.engine.pause();
  asleep.enter('Provisioning');
  await asleep.until(120_000);
  expect(asleep.broken).toBeUndefined();
});

test('nobody hears of what is not stored', () => {
  const tell = (act: (bench: Bench, link: Link) => void): string | undefined => {
    const bench = new Bench();
    act(bench, greeted(bench));
    return bench.broken;
  };
  const invariant = 'nobody hears of what is not stored';
  expect(tell(() => {})).toBeUndefined();
  expect(tell(({ checks }, link) => checks.links.told(link, 'assignment', work(2)))).toBe(invariant);
  expect(tell(({ checks }, link) => checks.links.told(link, 'assignment', { ...work(1), state: 'Ready' }))).toBe(invariant);
  expect(tell(({ checks }, link) => checks.links.told(link, 'leave', { reason: 'over' }))).toBe(invariant);
  expect(tell(({ checks }, link) => checks.links.told(link, 'hello', { session: '2', assignment: work(1), lastOp: 1, logs: {} }))).toBe(
    invariant,
  );
  expect(
    tell(({ checks, parameters }, link) =>
      checks.links.told(link, 'value', { key: 'ss:a', value: parameters.writing(runId, 'ss:a', false).value, secret: false }),
    ),
  ).toBe(invariant);
});
