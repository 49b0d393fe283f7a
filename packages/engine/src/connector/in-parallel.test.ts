import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inParallel, partOf, valuesOf } from './in-parallel.ts';

test('all is tried, with no more at once than may be, and told in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean()), fc.integer({ min: 1, max: 9 }), async (fits, atOnce) => {
      let running = 0;
      let most = 0;
      const { values, failures } = await inParallel(
        [...fits.entries()],
        async ([at, fit]) => {
          most = Math.max(most, ++running);
          await setImmediate();
          running--;
          if (!fit) throw new Error(String(at));
          return at;
        },
        { atOnce },
      );
      const [fitting, others] = [true, false].map((wanted) => [...fits.keys()].filter((at) => fits[at] === wanted));
      expect(values).toEqual(fitting);
      expect(failures.map(({ message }) => Number(message)).toSorted((one, other) => one - other)).toEqual(others);
      expect(most).toBe(Math.min(atOnce, fits.length));
      expect(running).toBe(0);
    }),
  );
});

test('where all would meet the same nothing is begun after the first failure, and what goes on is waited for', async () => {
  const begun: number[] = [];
  const work = async (at: number): Promise<number> => {
    begun.push(at);
    if (at === 0) throw new Error('no room');
    await setImmediate();
    return at;
  };
  expect(await inParallel([0, 1, 2, 3, 4], work, { atOnce: 2, stop: true })).toEqual({ values: [1], failures: [new Error('no room')] });
  expect(begun).toEqual([0, 1]);
});

test('a launch that was had in part tells the part, and why not the rest', () => {
  const warnings: string[] = [];
  const log = { warn: (message: string): unknown => warnings.push(message) };
  const failures = [new Error('no room'), new Error('none at all')];
  expect(partOf({ values: [1], failures }, log)).toEqual([1]);
  expect(warnings).toEqual(['no room', 'none at all']);
  expect(() => partOf({ values: [], failures }, log)).toThrow('no room');
  expect(partOf({ values: [], failures: [] }, log)).toEqual([]);
  expect(() => valuesOf({ values: [1], failures })).toThrow('no room');
});
