import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from './random.ts';

const some = (random: Random): number[] => Array.from({ length: 20 }, () => random.next());

test('the same seed rolls the same, another one something else', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (seed, other) => {
      expect(some(new Random(seed))).toEqual(some(new Random(seed)));
      fc.pre((seed | 0) !== (other | 0));
      expect(some(new Random(seed))).not.toEqual(some(new Random(other)));
    }),
  );
});

test('a fork rolls the same however much was rolled elsewhere', () => {
  const one = new Random(1);
  const other = new Random(1);
  some(other);
  some(other.fork('something else'));
  expect(some(one.fork('clouds'))).toEqual(some(other.fork('clouds')));
  expect(some(one.fork('clouds'))).not.toEqual(some(one.fork('cloud')));
});

test('numbers are within their bounds', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(100), fc.nat(100), (seed, from, length) => {
      const random = new Random(seed);
      const whole = random.whole(from, from + length);
      expect(Number.isInteger(whole) && whole >= from && whole <= from + length).toBe(true);
      expect(random.longTailed(5, 40)).toBeLessThanOrEqual(40);
      expect(random.pick([1, 2, 3])).toBeOneOf([1, 2, 3]);
      expect(random.uuid()).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-8[\da-f]{3}-[\da-f]{12}$/);
    }),
  );
});

test('chances come true about as often as they should', () => {
  const random = new Random(7);
  const hits = Array.from({ length: 10_000 }, () => random.chance(0.25)).filter(Boolean).length;
  expect(hits).toBeGreaterThan(2300);
  expect(hits).toBeLessThan(2700);
});
