import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readRanges, writeRanges } from './ranges.ts';

it('reads back what it has written, whatever the order', () => {
  const run = fc.tuple(fc.nat(5000), fc.nat(20)).map(([from, more]) => Array.from({ length: more + 1 }, (_, at) => from + at));
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 20 }), (runs) => {
      const numbers = runs.flat();
      expect(readRanges(writeRanges(numbers))).toEqual(numbers);
    }),
  );
});

it('is short', () => {
  expect(writeRanges(Array.from({ length: 200 }, (_, at) => at + 1))).toBe('1-200');
  expect(writeRanges([1, 2, 3, 7, 9, 10])).toBe('1-3 7 9-10');
});

it.each(['', 'x', '1-', '2-1', '1,2', '1-999999999', '1  2', '-1', `${'1-5000 '.repeat(3)}7`])('reads nothing out of %j', (text) => {
  expect(readRanges(text)).toBeUndefined();
});
