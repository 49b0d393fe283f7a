import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';
import { guessSize, parseSize } from './size.ts';

test('durations', () => {
  expect(parseDuration('30m')).toBe(1_800_000);
  expect(parseDuration('1h30m')).toBe(5_400_000);
  expect(parseDuration('2d')).toBe(172_800_000);
  expect(parseDuration('250ms')).toBe(250);
  for (const wrong of ['', '30', 'm', '30 m', '-1h', '1.5h', '30m1h', '0s', '99999d']) {
    expect(parseDuration(wrong), wrong).toBeUndefined();
  }
});

test('a formatted duration reads back as itself', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 3e11 }), (ms) => parseDuration(formatDuration(ms)) === ms));
});

test('sizes are rounded up to whole units', () => {
  expect(parseSize('1GiB', 'MiB')).toBe(1024);
  expect(parseSize('1.5GiB', 'GiB')).toBe(2);
  expect(parseSize('1GB', 'MiB')).toBe(954);
  expect(parseSize('1 TiB', 'GiB')).toBe(1024);
  for (const wrong of ['', '1', '1G', 'GiB', '-1GiB', '0GiB']) expect(parseSize(wrong, 'MiB'), wrong).toBeUndefined();
});

test('a wrong size has a likely meaning', () => {
  expect(guessSize('4G')).toBe('4GiB');
  expect(guessSize('512 mb')).toBe('512MiB');
  expect(guessSize('much')).toBeUndefined();
});
