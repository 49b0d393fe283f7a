import { isPacelineError } from '@paceline/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogBook } from './log-book.ts';

function output(source: string, offset: number, text: string, bytes = Buffer.byteLength(text)): Parameters<LogBook['accept']>[1] {
  return { op: 'log', source, stream: 'stdout', offset, bytes, text, at: '2026-01-01T00:00:00.000Z' };
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return isPacelineError(error) ? error.code : String(error);
  }
  return undefined;
}

test('what is sent again is stored once, and an engine that starts again knows', async () => {
  const book = new LogBook();
  expect(book.accept('a.1', output('1.stdout', 0, 'hello'), 0)).toMatchObject({ seq: 1, start: 0, bytes: 5, text: 'hello' });
  expect(book.accept('a.1', output('1.stdout', 0, 'hello'), 0)).toBeUndefined();
  expect(book.endsOf('a.1')).toEqual({ '1.stdout': 5 });
  const again = await LogBook.open(
    { logEnds: async () => [{ instance: 'a.1', source: '1.stdout', end: 5, lastSeq: 1, pieces: 1, size: 5 }] },
    'run',
  );
  expect(again.accept('a.1', output('1.stdout', 0, 'hello'), 0)).toBeUndefined();
  expect(again.accept('a.1', output('1.stdout', 5, '!'), 0)).toMatchObject({ seq: 2 });
});

test('of an instance that prints without end, as much is kept as is allowed, and the last piece says so', async () => {
  const mebibyte = 'x'.repeat(1024 * 1024);
  const book = new LogBook(2 * mebibyte.length);
  const kept = Array.from({ length: 9 }, (_, index) => book.accept('a.1', output(`${index}`, 0, mebibyte), 0)?.text.slice(-60));
  expect(kept.filter((text) => text !== undefined)).toHaveLength(2);
  expect(kept[1]).toContain('\n[a.1 prints more; only the first 2 MiB are kept]\n');
  expect(book.accept('a.2', output('1.stdout', 0, 'hello'), 0), 'another instance').toBeDefined();
  const ends = [{ instance: 'a.1', source: '0', end: 3, lastSeq: 3, pieces: 2, size: 2 * mebibyte.length }];
  const again = await LogBook.open({ logEnds: async () => ends }, 'run', 2 * mebibyte.length);
  expect(again.accept('a.1', output('1', 0, 'more'), 0), 'after a restart').toBeUndefined();
});

test('what other alphabets cost on disk counts', () => {
  const book = new LogBook(3000);
  expect(book.accept('a.1', output('1', 0, '€'.repeat(1000), 1000), 0)).toBeDefined();
  expect(book.accept('a.1', output('1', 1000, '€'), 0)).toBeUndefined();
});

test('no lie about its size gets more text into the store', () => {
  const most = 64 * 1024;
  const anyOp = fc.record({ source: fc.constantFrom('1', '2'), offset: fc.nat(most), bytes: fc.nat(4096), length: fc.nat(20_000) });
  fc.assert(
    fc.property(fc.array(anyOp, { minLength: 200, maxLength: 500 }), (ops) => {
      const book = new LogBook(most);
      let stored = 0;
      for (const { source, offset, bytes, length } of ops) {
        if (book.accept('a.1', output(source, offset, 'x'.repeat(length), bytes), 0) !== undefined) stored += length;
      }
      expect(stored).toBeLessThanOrEqual(most + 20_000);
    }),
    { numRuns: 50 },
  );
  expect(new LogBook().accept('a.1', output('1', 0, 'free of charge', 0), 0)).toBeUndefined();
});

test('an instance has as many sources of output as a recipe could have', () => {
  const book = new LogBook();
  for (let index = 0; index < 500; index += 1) book.accept('a.1', output(`${index}`, 0, 'x'), 0);
  expect(codeOf(() => book.accept('a.1', output('one more', 0, 'x'), 0))).toBe('PACELINE_TOO_LARGE');
});
