import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SseParser, type SseEvent } from './sse-parser.ts';

function parse(pieces: Uint8Array[]): SseEvent[] {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

describe('SseParser', () => {
  test('reads events, comments, fields without a value and ids that stay', () => {
    const text =
      '\ufeff:\n\nid: 7\nevent: log\ndata: one\ndata:two\n\nevent: end\ndata\n\nid\n\ndata: x: y\nretry: 5\n\nevent: cut\ndata: off\n';
    expect(parse([bytesOf(text)])).toMatchInlineSnapshot(`
      [
        {
          "data": "one
      two",
          "event": "log",
          "id": "7",
        },
        {
          "data": "",
          "event": "end",
          "id": "7",
        },
        {
          "data": "x: y",
          "event": "message",
          "id": "",
        },
      ]
    `);
  });

  test('gives the same events however the bytes are cut and the lines end', () => {
    const line = fc.stringMatching(/^[ -~äλ漢😀]{0,12}$/u);
    const event = fc.record({
      event: fc.stringMatching(/^[a-z]{1,5}$/),
      data: fc.array(line, { minLength: 1, maxLength: 3 }),
      id: fc.nat().map(String),
    });
    const ending = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(event), ending, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (events, end, sizes) => {
        const text = events
          .map(({ event: name, data, id }) =>
            [`id: ${id}`, `event: ${name}`, ': beat', ...data.map((part) => `data: ${part}`), '', ''].join(end),
          )
          .join('');
        const bytes = bytesOf(text);
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < bytes.length;) {
          const size = sizes.next().value ?? 1;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(parse(pieces)).toEqual(events.map(({ data, ...rest }) => ({ ...rest, data: data.join('\n') })));
      }),
    );
  });

  test('does not gather without end', () => {
    const parser = new SseParser();
    const piece = bytesOf(`data: ${'x'.repeat(4 * 1024 * 1024)}`);
    expect(() => Array.from({ length: 5 }, () => parser.push(piece))).toThrow('an event of more than');
  });
});
