import { globalNames, instanceLevelNames, nodeLevelNames } from '@paceline/model';
import { expect, it } from 'vitest';
import { globalValues, instanceValues, nodeValues, storedGlobalNames, storedInstanceNames } from './system.ts';

const sorted = (...names: Iterable<string>[]): string[] => names.flatMap((some) => [...some]).toSorted();

it('every system parameter that modules may rely on has a value here, and there are no others', () => {
  expect(sorted(Object.keys(instanceValues), storedInstanceNames)).toEqual(sorted(instanceLevelNames));
  expect(sorted(Object.keys(nodeValues))).toEqual(sorted(nodeLevelNames));
  expect(sorted(Object.keys(globalValues), storedGlobalNames)).toEqual(sorted(globalNames));
});
