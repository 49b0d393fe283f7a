import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { harmless, harmlessLine, HarmlessStream } from './harmless.ts';

describe('harmless', () => {
  test.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007after', 'after'],
    ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u001bP1$r0m\u001b\\x', 'x'],
    ['\u009b2Jx\u009d0;t\u009cy', 'xy'],
    ['a\u001b[2J\u001b[1;1Hb\u001bcc', 'abc'],
    ['bell\u0007 back\b\b del\u007f', 'bell back del'],
    ['\u202egnp.exe\u202c', 'gnp.exe'],
    ['unfinished \u001b]0;swallowed\nnext', 'unfinished \nnext'],
    ['tab\tline\r\nend\r', 'tab\tline\nend'],
    ['grüße 漢字 😀', 'grüße 漢字 😀'],
  ])('%j becomes %j', (text, expected) => {
    expect(harmless(text)).toBe(expected);
  });

  test('leaves nothing that a terminal would act on', () => {
    const nasty = fc.array(
      fc.constantFrom('\u001b', '[', ']', '\u009b', '\u009d', '0', ';', 'm', '\u0007', '\\', 'P', ' ', '\n', 'x', '\r', '\u0085'),
    );
    fc.assert(
      fc.property(nasty, (parts) => {
        // oxlint-disable-next-line no-control-regex -- that there are none is the point
        expect(harmless(parts.join(''))).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
      }),
    );
  });

  test('is the same of a text in pieces', () => {
    const piece = fc.array(
      fc.constantFrom('\u001b', '[', ']', '\u009b', '\u009d', '0', ';', 'm', '\u0007', '\\', 'P', ' ', '\n', 'x', '\r', '\u009c'),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(fc.array(piece), (parts) => {
        const pieces = parts.map((part) => part.join(''));
        const stream = new HarmlessStream();
        expect(pieces.map((text) => stream.push(text)).join('')).toBe(harmless(pieces.join('')));
      }),
      { numRuns: 1000 },
    );
  });

  test('does not wait for the end of a sequence that never comes', () => {
    const stream = new HarmlessStream();
    expect(stream.push('shown\u001b]0;')).toBe('shown');
    const pieces = Array.from({ length: 100 }, () => stream.push('x'.repeat(1000)));
    expect(pieces.join('').length).toBeGreaterThan(90_000);
  });

  test('makes one line of several', () => {
    expect(harmlessLine(' one\n\n two\tthree ')).toBe('one two three');
  });
});
