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

test('reads events and leaves out comments, ids and what is not complete', () => {
  const text = ':\n\nevent: a\ndata: 1\n\n:\n\nid: 4\nevent: b\ndata:  x\n\nevent: none\n\ndata: open';
  expect(parse(Buffer.from(text), [1000])).toEqual([
    ['a', '1'],
    ['b', ' x'],
  ]);
});

test('any cuts give the same events', () => {
  const event = fc.record({ name: fc.constantFrom('hello', 'value', 'mask'), data: fc.json() });
  fc.assert(
    fc.property(fc.array(event), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (events, cuts) => {
      const text = events.map(({ name, data }) => `event: ${name}\ndata: ${data}\n: é\n\n`).join('');
      expect(parse(Buffer.from(text), cuts)).toEqual(events.map(({ name, data }) => [name, data]));
    }),
  );
});
