import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineReader } from './line-reader.ts';

test('lines come out whole, however they are cut on their way', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  fc.assert(
    fc.property(fc.array(line), line, fc.array(fc.nat(50)), (lines, rest, cuts) => {
      const bytes = Buffer.from([...lines, rest].join('\n'));
      const reader = new LineReader();
      const read: string[] = [];
      let from = 0;
      for (const cut of [...cuts, bytes.length]) {
        read.push(...reader.push(bytes.subarray(from, from + cut)));
        from += cut;
      }
      expect(read).toEqual(lines);
      expect(reader.rest()).toBe(rest);
    }),
  );
});

test('no more than the limit is kept of a line', () => {
  const reader = new LineReader(10);
  expect(reader.push(Buffer.from('0123456789\n0123456789'))).toEqual(['0123456789']);
  expect(() => reader.push(Buffer.from('x'))).toThrow('longer than 10 bytes');
});
