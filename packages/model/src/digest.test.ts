import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, contentDigest } from './digest.ts';

test('the order of keys does not count, the order of lists does', () => {
  expect(canonicalJson({ b: 1, a: [{ d: 1, c: undefined }] })).toBe('{"a":[{"d":1}],"b":1}');
  expect(contentDigest({ a: 1, b: 2 })).toBe(contentDigest({ b: 2, a: 1 }));
  expect(contentDigest([1, 2])).not.toBe(contentDigest([2, 1]));
});

test('canonical JSON is JSON of the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
