import { expect, test } from 'vitest';
import { clientServerPlan } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { asked } from './asked.ts';
import type { Change } from './change.ts';

const { run } = new TestRun(clientServerPlan());
const effect: Change = { kind: 'run', patch: { recovery: true } };

test('what somebody asks for begins with who it is', () => {
  expect(asked('alice', 'to abort the run', () => [effect])(run, 7)).toEqual([
    {
      kind: 'event',
      at: 7,
      body: { type: 'run.asked', severity: 'info', message: 'alice has asked to abort the run', data: { by: 'alice' } },
    },
    effect,
  ]);
});

test('nothing is said of what changes nothing, or of nobody', () => {
  expect(asked('alice', 'to abort the run', () => [])(run, 7)).toEqual([]);
  expect(asked(undefined, 'to abort the run', () => [effect])(run, 7)).toEqual([effect]);
});

test('what is refused is not said to have been asked', () => {
  const refused = asked('alice', 'to scale web', () => {
    throw new Error('no');
  });
  expect(() => refused(run, 7)).toThrow('no');
});
