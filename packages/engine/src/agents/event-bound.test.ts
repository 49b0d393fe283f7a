import { expect, test } from 'vitest';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import { abortReserve, mostTold, withBoundedEvents } from './event-bound.ts';

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

/** What is kept of changes after so much, and how much has been told then. */
function bounded(told: number, ...changes: Change[]): { kept: Change[]; told: number | undefined } {
  const result = withBoundedEvents({ name: 'a.1', told } as Instance, changes, 0);
  const patch = result.find((change) => change.kind === 'instance');
  return { kept: result.filter((change) => change !== patch), told: patch?.patch.told };
}

test('an instance is heard of as long as it says no more than any recipe, of its aborts a little longer, and its values count always', () => {
  expect(bounded(0, value, tells, abort).kept).toEqual([value, tells, abort]);
  expect(bounded(0, value, tells, abort).told).toBeGreaterThan(300);
  expect(bounded(0, value)).toEqual({ kept: [value], told: undefined });
  const last = bounded(mostTold - 1, value, tells);
  expect(last.kept.slice(0, 2)).toEqual([value, tells]);
  expect(last.kept[2]).toMatchObject({ body: { type: 'instance.notice', message: expect.stringContaining('makes no events') } });
  expect(bounded(mostTold, value, tells)).toEqual({ kept: [value], told: undefined });
  expect(bounded(mostTold, value, tells, abort).kept).toEqual([value, abort]);
  expect(bounded(mostTold + abortReserve, value, tells, abort)).toEqual({ kept: [value], told: undefined });
});
