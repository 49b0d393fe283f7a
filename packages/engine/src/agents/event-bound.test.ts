import { expect, test } from 'vitest';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import { mostTellingOps, withBoundedEvents } from './event-bound.ts';

const instance = { name: 'a.1' } as Instance;
const value: Change = { kind: 'parameter', key: 'a.1:x', value: '1', secret: false };
const tells: Change = {
  kind: 'event',
  at: 0,
  body: { type: 'parameter.set', severity: 'info', message: 'x = 1', data: { key: 'a.1:x', value: '1', secret: false } },
};
const abort: Change = {
  kind: 'event',
  at: 0,
  body: { type: 'run.abort', severity: 'error', message: 'aborted', data: { reason: 'r', source: 'a.1:abort' } },
};

test('an instance is heard of as long as it says no more than any recipe; its values and its abort always', () => {
  const changes = [value, tells, abort];
  expect(withBoundedEvents(instance, changes, mostTellingOps, mostTellingOps - 1, 0)).toEqual(changes);
  const over = withBoundedEvents(instance, changes, mostTellingOps + 1, mostTellingOps, 0);
  expect(over.slice(0, 2)).toEqual([value, abort]);
  expect(over[2]).toMatchObject({
    body: { type: 'instance.notice', severity: 'warning', message: expect.stringContaining('makes no events') },
  });
  expect(withBoundedEvents(instance, changes, mostTellingOps + 2, mostTellingOps + 1, 0)).toEqual([value, abort]);
});
