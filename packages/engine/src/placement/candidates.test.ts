import { expect, test } from 'vitest';
import { nodeOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import { nextCloud } from './candidates.ts';

const built = { image: 'x', layers: 1, digest: 'd' };

test.each([
  ['whose image was built stays where it is', null, undefined],
  ['that boots the image of an ancestor, too', { built }, undefined],
  ['that boots a native image instead goes where it may', { built: null }, 'other'],
])('a machine %s', (_which, instead, expected) => {
  const { run } = new TestRun(planOf({ n: nodeOf({ built, elsewhere: ['other'] }) }));
  const [instance] = run.instances.values();
  if (instance === undefined) throw new Error('there is no instance');
  instance.machine.instead = instead;
  expect(nextCloud(run, instance, 0)).toBe(expected);
});
