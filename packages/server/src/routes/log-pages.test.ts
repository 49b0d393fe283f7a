import * as fc from 'fast-check';
import type { LogChunk } from '@paceline/engine';
import { expect, it } from 'vitest';
import { readLogs, type LogSource } from './log-pages.ts';

/** A store of pieces with these numbers. */
function storeOf(pieces: LogChunk[]): LogSource {
  const byInstance = Map.groupBy(pieces, ({ instance }) => instance);
  return {
    logs: async (_run, after, limit) => pieces.filter(({ seq }) => seq > after).slice(0, limit),
    logEnds: async () =>
      [...byInstance].map(([instance, own]) => ({
        instance,
        source: 's',
        end: 0,
        lastSeq: own.at(-1)?.seq ?? 0,
        pieces: own.length,
        size: 0,
      })),
  };
}

function piece(seq: number, instance: string): LogChunk {
  return { seq, instance, source: 's', stream: 'stdout', start: 0, bytes: 0, at: 0, text: '' };
}

/** Some pieces of several instances, with numbers that are missing as after a clean-up. */
const stored = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.constantFrom('web.1', 'web.2', 'webs.1')), {
    selector: ([seq]) => seq,
    maxLength: 600,
  })
  .map((all) => all.toSorted(([a], [b]) => a - b).map(([seq, instance]) => piece(seq, instance)));
const wanted = fc.constantFrom(undefined, 'web', 'web.1', 'web.2', 'webs', 'we', 'web.11');

const instances: Record<string, string[]> = { web: ['web.1', 'web.2'], 'web.1': ['web.1'], 'web.2': ['web.2'], webs: ['webs.1'] };
const right = (pieces: LogChunk[], of: string | undefined): LogChunk[] =>
  pieces.filter(({ instance }) => of === undefined || instances[of]?.includes(instance));

it('a page has the next pieces of an instance, or of a node', async () => {
  await fc.assert(
    fc.asyncProperty(stored, wanted, fc.nat(1000), fc.integer({ min: 1, max: 300 }), async (pieces, instance, after, limit) => {
      const expected = right(pieces, instance).filter(({ seq }) => seq > after);
      expect(await readLogs(storeOf(pieces), 'r', { after, limit, instance })).toEqual(expected.slice(0, limit));
    }),
  );
});

it('a tail has the last ones', async () => {
  await fc.assert(
    fc.asyncProperty(stored, wanted, fc.integer({ min: 1, max: 300 }), async (pieces, instance, tail) => {
      const found = await readLogs(storeOf(pieces), 'r', { after: 0, limit: 500, instance, tail });
      expect(found).toEqual(right(pieces, instance).slice(-tail));
    }),
  );
});

it('a page of long pieces has as many as a server can send at once, and one at least', async () => {
  const long = (seq: number, mebibytes: number): LogChunk => ({ ...piece(seq, 'web.1'), text: 'x'.repeat(mebibytes * 1024 * 1024) });
  const pieces = [long(1, 3), long(2, 3), long(3, 3), long(4, 9), long(5, 1)];
  const page = async (after: number, instance?: string) =>
    (await readLogs(storeOf(pieces), 'r', { after, limit: 500, instance })).map(({ seq }) => seq);
  expect([await page(0), await page(2), await page(3), await page(4), await page(5)]).toEqual([[1, 2], [3], [4], [5], []]);
  expect(await page(0, 'web')).toEqual([1, 2]);
  const tail = async (count: number) => (await readLogs(storeOf(pieces), 'r', { after: 0, limit: 500, tail: count })).map(({ seq }) => seq);
  expect([await tail(1), await tail(3)]).toEqual([[5], [5]]);
});

it('with a cursor there is no tail: whoever resumes wants all that came since', async () => {
  const pieces = [piece(1, 'web.1'), piece(2, 'web.1'), piece(3, 'web.1')];
  expect(await readLogs(storeOf(pieces), 'r', { after: 1, limit: 500, tail: 1 })).toEqual(pieces.slice(1));
});
