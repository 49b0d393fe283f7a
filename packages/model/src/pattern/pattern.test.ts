import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pattern } from './pattern.ts';
import { cpuTimeOf } from '../testing/cpu-time.ts';

/** Regular expressions of everything that is supported, small enough that backtracking through them takes no time. */
const sources = fc.letrec<{ pattern: string; piece: string; atom: string }>((tie) => ({
  pattern: fc
    .array(fc.array(tie('piece'), { maxLength: 3 }), { minLength: 1, maxLength: 3 })
    .map((options) => options.map((pieces) => pieces.join('')).join('|')),
  piece: fc
    .tuple(tie('atom'), fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{0}', '{1,}', '{0,2}', '{1,3}?'))
    .map(([atom, quantifier]) => (/^(\^|\$|\\[bB])$/.test(atom) ? atom : atom + quantifier)),
  atom: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.constantFrom(
      'a',
      'b',
      'c',
      'ü',
      '🐎',
      '.',
      '[ab]',
      '[^a]',
      '[a-c\\]]',
      '[\\w-]',
      '[]',
      '[^]',
      '\\d',
      '\\w',
      '\\W',
      '\\s',
      '\\n',
      '\\x61',
      '\\u0062',
      '\\u{1F40E}',
      '\\ud83d\\udc0e',
      '\\.',
      '\\/',
      '\\p{L}',
      '\\P{L}',
      '^',
      '$',
      '\\b',
      '\\B',
      '-',
      ',',
      '}'.replace('}', '\\}'),
    ),
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?:${inner})`),
    tie('pattern').map((inner) => `(?<n${inner.length}x>${inner})`),
  ),
}));
const texts = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'ü', '🐎', '1', '-', '.', ' ', '\n', ']', '\ud83d'), maxLength: 8 });

/** As the language's standard has it: the engine of Node.js would also begin within a character of two units, where `\B` holds. */
function isIn(sticky: RegExp, text: string): boolean {
  let at = 0;
  const begins = [0, ...Array.from(text, (character) => (at += character.length))];
  return begins.some((begin) => {
    sticky.lastIndex = begin;
    return sticky.test(text);
  });
}

describe('a pattern', () => {
  it('means what JavaScript means by it', () => {
    fc.assert(
      fc.property(
        sources.pattern.filter(({ length }) => length <= 60),
        texts,
        (source, text) => {
          let native: RegExp;
          try {
            native = new RegExp(source, 'uy');
          } catch {
            expect(() => new Pattern(source)).toThrow();
            return;
          }
          const pattern = new Pattern(source);
          expect([pattern.matches(text), pattern.isIn(text)]).toEqual([new RegExp(`^(?:${source})$`, 'u').test(text), isIn(native, text)]);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['[a-z][a-z0-9-]{0,62}', 'web-1', true],
    ['[a-z][a-z0-9-]{0,62}', '-web', false],
    ['https?://\\S+', 'http://example.org/', true],
    ['\\d{1,3}(\\.\\d{1,3}){3}', '10.0.0.1', true],
    ['\\d{1,3}(\\.\\d{1,3}){3}', '10.0.0', false],
    ['(?<year>\\d{4})-(0[1-9]|1[0-2])', '2026-11', true],
    ['(small|medium|large)', 'large', true],
    ['', '', true],
    ['', 'x', false],
    ['a|b', 'ab', false],
    ['[\\s\\S]*', 'any\nthing', true],
  ])('%s matches %j: %s', (source, text, matches) => {
    expect(new Pattern(source).matches(text)).toBe(matches);
  });

  it.each([
    '(a+)+$',
    '(a|a)*b',
    '(a|aa)+b',
    '(.*a){20}',
    '(a*)*b',
    'a*a*a*a*a*a*b',
    '(\\w+\\s?)*!',
    '([a-z]+)*\\d',
    '(?:(?:a?){30}a{30})x',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ])('%s takes no longer than it should', (source) => {
    const pattern = new Pattern(source);
    const match = (): void => ['a'.repeat(4096), `${'a'.repeat(4094)}!1`, 'ab '.repeat(1300)].forEach((text) => pattern.matches(text));
    expect(cpuTimeOf(match)).toBeLessThan(4000);
  });

  it.each([
    ['(a', /Unterminated group|Invalid regular expression/],
    ['a)|(b', /Unmatched|Invalid regular expression/],
    ['a{2,1}', /out of order/],
    ['(?=a)b', /looking ahead or behind is not supported/],
    ['(?<!a)b', /looking ahead or behind is not supported/],
    ['(a)\\1', /a reference to an earlier group is not supported/],
    ['(?<x>a)\\k<x>', /a reference to an earlier group is not supported/],
    ['(?i:a)', /flags inside of a pattern is not supported|flags/],
    ['(a{100}){100}', /too large/],
    ['((((a{50}){50}){50}){50}){50}', /too large/],
    ['(){1000000000}{1000000000}', /Nothing to repeat|Invalid/],
    ['x'.repeat(501), /longer than 500 characters/],
  ])('%s is refused', (source, message) => {
    expect(() => new Pattern(source)).toThrow(message);
  });

  it('of empty parts repeated for ever is small', () => {
    expect(new Pattern('(?:){1000000000}').matches('')).toBe(true);
    expect(() => new Pattern('(?:(?:)?){1000000000}')).toThrow(/too large/);
  });

  it('nested as deeply as its length allows is read', () => {
    expect(new Pattern(`${'('.repeat(249)}a${')'.repeat(249)}`).matches('a')).toBe(true);
  });

  it('does not match what is too long to be compared', () => {
    expect(new Pattern('a*').matches('a'.repeat(4096))).toBe(true);
    expect(new Pattern('a*').matches('a'.repeat(4097))).toBe(false);
  });
});
