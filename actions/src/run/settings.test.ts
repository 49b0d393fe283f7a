import { expect, test } from 'vitest';
import { Inputs } from '../runner/inputs.ts';
import { isKept, jobStatusOf, outcomeOf, takeDownMs } from './settings.ts';

const ready = { state: 'Ready', abort: null } as const;
const aborted = { state: 'Ready', abort: { reason: 'x', source: 'web.1', at: '' } } as const;

test.each([
  ['all went well', ready, 'succeeded', 'success', ['on-success', 'always']],
  ['nobody says how the job came out', ready, 'succeeded', undefined, ['on-success', 'always']],
  ['the run was aborted', aborted, 'failed', 'failure', ['on-error', 'always']],
  ['what the step waited for did not come', ready, 'failed', 'failure', ['on-error', 'always']],
  ['a later step failed', ready, 'succeeded', 'failure', ['on-error', 'always']],
  ['the job was cancelled in a later step', ready, 'succeeded', 'cancelled', ['always']],
  ['the step itself was killed', ready, 'cut', 'failure', ['always']],
] as const)('%s: machines stay as they were told to', (_what, run, main, job, kept) => {
  const outcome = outcomeOf(run, main, job);
  expect((['never', 'on-error', 'on-success', 'always'] as const).filter((policy) => isKept(policy, outcome))).toEqual(kept);
});

test('how a job has come out is what GitHub says, and nothing else', () => {
  const status = (text: string) => jobStatusOf(new Inputs({ 'INPUT_JOB-STATUS': text }));
  expect(['success', 'failure', 'cancelled', 'odd', ''].map(status)).toEqual(['success', 'failure', 'cancelled', undefined, undefined]);
});

test('only a job that GitHub is about to end is in a hurry', () => {
  const minutes = (...given: Parameters<typeof takeDownMs>): number => takeDownMs(...given) / 60_000;
  // GitHub ends a cancelled job after five.
  expect([minutes('cut', 'failure'), minutes('succeeded', 'cancelled')]).toEqual([4, 4]);
  expect([minutes('succeeded', 'success'), minutes('failed', 'failure'), minutes('succeeded', undefined)]).toEqual([20, 20, 20]);
});
