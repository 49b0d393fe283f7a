import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from './heap.ts';

test('the earliest comes first, and of two at the same time the one that was put in first', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(20), fc.constant('pop' as const))), (steps) => {
      const heap = new Heap<{ at: number; order: number }>();
      const expected: { at: number; order: number }[] = [];
      for (const [order, step] of steps.entries()) {
        if (step === 'pop') expect(heap.pop()).toEqual(expected.shift());
        else {
          const item = { at: step, order };
          heap.push(item);
          expected.push(item);
          expected.sort((one, other) => one.at - other.at || one.order - other.order);
        }
        expect(heap.first).toEqual(expected[0]);
        expect(heap.size).toBe(expected.length);
      }
    }),
  );
});
