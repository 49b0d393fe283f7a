import { expect, test } from 'vitest';
import { clientServerPlan } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { asked } from './asked.ts';
import type { Change } from './change.ts';

const { run } = new TestRun(clientServerPlan());
const effect: Change = { kind: 'run', patch: { recovery: true } };
const event: Change = {
  kind: 'event',
  at: 7,
  body: { type: 'run.abort', severity: 'error', message: 'Abort', data: { reason: 'wrong data', source: 'ss:abort' } },
};

test('the events of what somebody asks for say who it was', () => {
  const [first, second] = asked('alice', () => [effect, event])(run, 7);
  expect(first).toEqual(effect);
  expect(second).toMatchObject({ body: { message: 'Abort', data: { reason: 'wrong data', source: 'ss:abort', by: 'alice' } } });
});

test('nobody is named when nobody is known', () => {
  expect(asked(undefined, () => [event])(run, 7)).toEqual([event]);
});
