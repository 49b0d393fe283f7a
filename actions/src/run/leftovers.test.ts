import { expect, test } from 'vitest';
import { newRunId } from '../runner/job.ts';
import { leftovers, type Orphan } from './leftovers.ts';

const orphan = (run: string, id: string): Orphan => ({
  cloud: 'c',
  kind: 'machine',
  id,
  name: id,
  run,
  reason: 'there is no run',
  outcome: 'found',
});
const [over, atWork, kept, foreign] = [
  newRunId({ run: 1, attempt: 1 }),
  newRunId({ run: 2, attempt: 1 }),
  newRunId({ run: 1, attempt: 1, mayStay: true }),
  crypto.randomUUID(),
];
const orphans = [orphan(over, 'a'), orphan(over, 'b'), orphan(atWork, 'c'), orphan(kept, 'd'), orphan(foreign, 'e')];
const isOver = async (run: number): Promise<boolean> => run === 1;

test('only what is known to be nobody’s is given up', async () => {
  expect(await leftovers(orphans, { isOver, kept: false })).toEqual({
    over: [over],
    spared: [
      { run: atWork, reason: 'workflow run 2 is not over' },
      { run: kept, reason: 'keep-running may have left it on purpose' },
      { run: foreign, reason: 'no action has started it' },
    ],
  });
  expect((await leftovers(orphans, { isOver, kept: true })).over).toEqual([over, kept]);
});

test('GitHub is asked once for each run, and what it does not answer spares everything', async () => {
  let asked = 0;
  const failing = async (): Promise<boolean> => {
    asked += 1;
    throw new Error('GitHub is down');
  };
  await expect(leftovers([orphan(over, 'a'), orphan(over, 'b')], { isOver: failing, kept: false })).rejects.toThrow('GitHub is down');
  expect(asked).toBe(1);
});
