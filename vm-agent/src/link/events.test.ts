import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventParser } from './events.ts';

function parse(bytes: Buffer, cuts: number[]): [string, string][] {
  const events: [string, string][] = [];
  const feed = eventParser((event, data) => void events.push([event, data]));
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = cuts[index % cuts.length]!;
    feed(bytes.subarray(at, at + size));
    at += size;
  }
  return events;
}

test('reads events, comments and line ends of every kind', () => {
  const text = ': hi\r\n\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata\n\nid: 4\revent:b\rdata:  x\r\revent: none\n\ndata: open';
  expect(parse(Buffer.from(text), [1000])).toEqual([
    ['a', '1\n2'],
    ['message', ''],
    ['b', ' x'],
  ]);
});

test('any cuts give the same events', () => {
  const event = fc.record({ name: fc.constantFrom('hello', 'value', 'mask'), data: fc.json(), end: fc.constantFrom('\n', '\r\n', '\r') });
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (events, cuts) => {
      const text = events.map(({ name, data, end }) => `event: ${name}${end}data: ${data}${end}: é${end}${end}`).join('');
      // A last CR waits for the LF that may follow it.
      const seen = parse(Buffer.from(`${text}\n`), cuts);
      expect(seen).toEqual(events.map(({ name, data }) => [name, data]));
    }),
  );
});
