import { expect, test } from 'vitest';
import { wholeCharacters } from './console.ts';

test.each(['a', 'é', '€', '😀'])('%s is held back until it is whole', (character) => {
  const bytes = Buffer.from(`x${character}`);
  for (let length = 1; length < bytes.length; length += 1) {
    expect(wholeCharacters(bytes.subarray(0, length)).toString()).toBe('x');
  }
  expect(wholeCharacters(bytes)).toEqual(bytes);
});

test('bytes that are no text do not stop the reading', () => {
  const noise = Buffer.from([0x80, 0x80, 0x80, 0x80]);
  expect(wholeCharacters(noise)).toEqual(noise);
});
