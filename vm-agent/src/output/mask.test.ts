import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextPiece, wholeCharacters } from './chunk.ts';
import { Masker } from './mask.ts';

function masker(...secrets: string[]): Masker {
  const made = new Masker();
  for (const secret of secrets) made.add(secret);
  return made;
}

/** Feed a text in pieces, as a tail does: with what was before as context. */
function stream(text: Buffer, sizes: number[], mask: Masker): string {
  let out = '';
  let start = 0;
  let end = 0;
  for (let index = 0; start < text.length; index++) {
    end = Math.min(text.length, Math.max(end, start) + (sizes[index % sizes.length] ?? 1));
    const from = Math.max(0, start - mask.longest);
    const piece = nextPiece(text.subarray(from, end), start - from, mask, end === text.length);
    out += piece.text;
    start += piece.bytes;
  }
  return out;
}

test('hides a value in every form that scripts give it', () => {
  const secret = `p@ss 'wörd' "1"`;
  const mask = masker(secret);
  const forms = [
    secret,
    encodeURIComponent(secret),
    encodeURIComponent(secret).replaceAll('%20', '+'),
    JSON.stringify(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`${secret}\n`).toString('base64'),
    Buffer.from(`user:${secret}`).toString('base64'),
    Buffer.from(`u:${secret}:x`).toString('base64'),
    `'p@ss '\\''wörd'\\'' "1"'`,
  ];
  for (const form of forms) {
    const hidden = mask.hide(`<${form}>`);
    expect(hidden).toContain('***');
    expect(hidden.length).toBeLessThan(18);
  }
});

test('hides the lines of a key, and leaves short values alone', () => {
  const key = `-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n`;
  expect(masker(key).hide(`x: abcdefgh\ny: ijklmnop`)).toBe('x: ***\ny: ***');
  expect(masker('abc', '').hide('abc')).toBe('abc');
  expect(masker('x'.repeat(100_000)).hide(`<${'x'.repeat(100_000)}>`)).toBe('<***>');
});

const secretText = fc.string({ minLength: 4, maxLength: 20, unit: 'grapheme' });
const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });

test('no secret shows, however the output is cut', () => {
  fc.assert(
    fc.property(
      fc.array(secretText, { minLength: 1, maxLength: 3 }),
      fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.nat(2))),
      sizes,
      (secrets, parts, cuts) => {
        const mask = masker(...secrets);
        const text = parts.map((part) => (typeof part === 'number' ? secrets[part % secrets.length]! : part)).join('');
        const out = stream(Buffer.from(text), cuts, mask);
        for (const secret of secrets) if (!'***'.includes(secret) && !secret.includes('*')) expect(out).not.toContain(secret);
      },
    ),
  );
});

test('everything else shows as it is, and any cuts give the same text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), sizes, (text, cuts) => {
      expect(stream(Buffer.from(text.toWellFormed()), cuts, new Masker())).toBe(text.toWellFormed());
      expect(stream(Buffer.from(`${text}key-1234${text}`), cuts, masker('key-1234'))).toBe(
        masker('key-1234').hide(`${text}key-1234${text}`),
      );
    }),
    { numRuns: 40 },
  );
});

test('bytes that are no UTF-8 become one sign each and hold nothing up', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), sizes, (bytes, cuts) => {
      expect(stream(Buffer.from(bytes), cuts, new Masker())).toBe(Buffer.from(bytes).toString());
    }),
  );
  expect(wholeCharacters(Buffer.from([0x61, 0xe2, 0x82]), 0)).toBe(1);
  expect(wholeCharacters(Buffer.from([0xff, 0xff]), 0)).toBe(2);
});
