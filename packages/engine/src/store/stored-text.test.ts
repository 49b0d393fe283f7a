import fc from 'fast-check';
import { expect, it } from 'vitest';
import { anyText } from '../testing/database-contract.ts';
import { decodeText, encodeText } from './stored-text.ts';

it('keeps any text, as UTF-8 without U+0000', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const stored = encodeText(text);
      expect(stored.isWellFormed()).toBe(true);
      expect(stored).not.toContain('\0');
      expect(decodeText(stored)).toBe(text);
    }),
    { numRuns: 2000 },
  );
});

it('keeps different texts apart', () => {
  const areApart = fc.property(anyText, anyText, (one, other) => (encodeText(one) === encodeText(other)) === (one === other));
  fc.assert(areApart, { numRuns: 2000 });
});

it('leaves what needs no escape as it is', () => {
  const text = 'plain, \t\r\n\u001b[1m, é, \u{1f600}, \ufeff, \\ and %';
  expect(encodeText(text)).toBe(text);
  expect(encodeText('a\0b\u0010c\ud800d')).toBe('a\u00100000b\u00100010c\u0010d800d');
});
