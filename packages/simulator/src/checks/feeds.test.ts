import type { RunEvent } from '@paceline/engine';
import { expect, test } from 'vitest';
import { Bench, runId } from '../testing/bench.ts';

/** A run with three events, and somebody who follows it. */
function followed(): { bench: Bench; events: RunEvent[]; come: (...events: (RunEvent | undefined)[]) => void } {
  const bench = new Bench();
  for (const text of ['one', 'two']) bench.commit({ events: [{ type: 'instance.message', data: { instance: 'server.1', text } }] });
  const events = (bench.checks.runOf(runId)?.events ?? []).map((text) => JSON.parse(text) as RunEvent);
  const follower = bench.checks.feeds.following(runId);
  return { bench, events, come: (...some) => some.forEach((event) => event && bench.checks.feeds.came(follower, event)) };
}

test('followers get every event', () => {
  const { bench, events, come } = followed();
  come(...events);
  bench.checks.feeds.finish();
  expect(bench.broken).toBeUndefined();
  const other = followed();
  other.come(...other.events.slice(0, 2));
  other.bench.checks.feeds.finish();
  expect(other.bench.broken).toBe('followers get every event');
});

test('who follows is told in time', async () => {
  for (const sends of [true, false]) {
    const { bench } = followed();
    const feed = bench.checks.feeds.opened(bench.engine, runId, 3);
    bench.commit({ events: [{ type: 'instance.message', data: { instance: 'server.1', text: 'three' } }] });
    if (sends) feed.sent = 4;
    await bench.until(41_000);
    expect(bench.broken).toBe(sends ? undefined : 'who follows is told in time');
  }
});

test('nobody is told anything on a connection that is closed', async () => {
  const { bench } = followed();
  bench.checks.feeds.closed(bench.checks.feeds.opened(bench.engine, runId, 0));
  await bench.until(41_000);
  expect(bench.broken).toBeUndefined();
});

test.each([
  ['twice', [0, 0]],
  ['out of order', [0, 2]],
])('followers get every event once, in order: not %s', (_, order) => {
  const { bench, events, come } = followed();
  come(...order.map((at) => events[at]));
  expect(bench.broken).toBe('followers get every event once, in order');
});

test('followers get what is stored', () => {
  const { bench, events, come } = followed();
  come(events[0] && { ...events[0], message: 'something else' });
  expect(bench.broken).toBe('followers get what is stored');
});
