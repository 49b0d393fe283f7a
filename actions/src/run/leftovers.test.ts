import type { RunSummary } from '@paceline/api';
import { expect, test } from 'vitest';
import { newRunId } from '../runner/job.ts';
import { leftovers, runsOf } from './leftovers.ts';

const [over, atWork, kept, foreign] = [
  newRunId({ run: 1, attempt: 1 }),
  newRunId({ run: 2, attempt: 1 }),
  newRunId({ run: 1, attempt: 1, mayStay: true }),
  crypto.randomUUID(),
];
const runs = [over, over, atWork, kept, foreign];
const isOver = async (run: number): Promise<boolean> => run === 1;

test('only what is known to be nobody’s is given up', async () => {
  expect(await leftovers(runs, { isOver, kept: false })).toEqual({
    over: [over],
    spared: [
      { run: atWork, reason: 'workflow run 2 is not over' },
      { run: kept, reason: 'keep-running may have left it on purpose' },
      { run: foreign, reason: 'no action has started it' },
    ],
  });
  expect((await leftovers(runs, { isOver, kept: true })).over).toEqual([over, kept]);
});

test('GitHub is asked once for each run, and what it does not answer spares everything', async () => {
  let asked = 0;
  const failing = async (): Promise<boolean> => {
    asked += 1;
    throw new Error('GitHub is down');
  };
  await expect(leftovers([over, over], { isOver: failing, kept: false })).rejects.toThrow('GitHub is down');
  expect(asked).toBe(1);
});

test('of the runs of a server only those count that workflows of the repository have started', () => {
  const summary = (id: string, ...tags: string[]): RunSummary => ({ id, tags }) as RunSummary;
  const all = [
    summary(over, 'github:octo/app', 'nightly'),
    summary(atWork, 'github:octo/other'),
    summary(foreign, 'github:octo/app'),
    summary(kept),
  ];
  expect(runsOf(all, { repository: 'octo/app' })).toEqual([over]);
});
