import type { Op, OpResult } from '@paceline/api/agent';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Backoff } from '../backoff.ts';
import { systemClock } from '../clock.ts';
import { HttpError } from './http.ts';
import { type OpDraft, OpsQueue } from './ops.ts';

const backoff = (): Backoff => new Backoff({ now: () => 0, sleep: () => new Promise((resolve) => setImmediate(resolve)) });
const set = (value: string): OpDraft => ({ op: 'set', key: 'k', value, secret: false, ignoreAbort: false });
const log = (offset: number): OpDraft => ({ op: 'log', source: 's', stream: 'stdout', offset, bytes: 1, text: 'x', at: '' });
const ok: OpResult = { status: 'ok' };

/** Carries each number out once and in order; loses requests and answers as it is told. */
function lossyEngine(faults: number[]) {
  let last = 0;
  let turn = 0;
  let underWay = 0;
  const seen: Op[] = [];
  async function post(ops: Op[]): Promise<OpResult[]> {
    if (++underWay > 1) throw new Error('two requests at once');
    await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    const fault = faults[turn++] ?? 0;
    if (fault === 1) throw new Error('request lost');
    if (fault === 2) throw new HttpError(503, 'busy');
    if (fault === 3 && ops.length > 1) throw new HttpError(413, 'too much');
    for (const op of ops) {
      if (!('id' in op)) seen.push(op);
      else if (op.id === last + 1) {
        last = op.id;
        seen.push(op);
      } else if (op.id > last) throw new Error(`${op.id} after ${last}`);
    }
    if (fault === 4) throw new Error('answer lost');
    if (fault === 5) return [];
    return ops.map(() => ok);
  }
  return { post, seen, last: () => last };
}

describe('ops', () => {
  test('nothing is lost, done twice or out of order, whatever the network does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(5), { maxLength: 30 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.nat(1000),
        async (faults, kinds, lastOp) => {
          const engine = lossyEngine(faults);
          const queue = new OpsQueue({ post: engine.post, backoff: backoff(), onFinal: () => {}, maxOps: 4 });
          const answers: Promise<OpResult>[] = [];
          const half = kinds.length >> 1;
          for (const [index, isSet] of kinds.entries()) {
            if (index === half) queue.hello(0);
            answers.push(queue.send(isSet ? set(String(index)) : log(index)));
            if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
            // A connection again: what it says is a little old.
            if (index > half) queue.hello(Math.min(lastOp, Math.max(0, engine.last() - 1)));
          }
          for (const answer of await Promise.all(answers)) expect(answer).toEqual(ok);
          const sets = engine.seen.flatMap((op) => (op.op === 'set' ? [op.value] : []));
          expect(sets).toEqual(kinds.flatMap((isSet, index) => (isSet ? [String(index)] : [])));
          const logs = [...new Set(engine.seen.flatMap((op) => (op.op === 'log' ? [op.offset] : [])))];
          expect(logs).toEqual(kinds.flatMap((isSet, index) => (isSet ? [] : [index])));
          expect(queue.logSize).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('gathers what comes while a request is under way; numbers go on where the engine is', async () => {
    const batches: Op[][] = [];
    const queue = new OpsQueue({
      post: async (ops) => {
        batches.push(ops);
        return ops.map(() => ok);
      },
      backoff: backoff(),
      onFinal: () => {},
    });
    const first = queue.send(set('early'));
    queue.hello(41);
    await first;
    await Promise.all([queue.send(log(0)), queue.send(set('b')), queue.send({ op: 'get', key: 'k', wait: false, ignoreAbort: false })]);
    expect(batches.map((batch) => batch.map((op) => ('id' in op ? op.id : op.op)))).toEqual([[42], [43, 'get', 'log']]);
  });

  test('an op that the engine cannot take fails alone', async () => {
    const seen: number[] = [];
    const queue = new OpsQueue({
      post: async (ops) => {
        if (ops.some((op) => op.op === 'set' && op.value === 'bad')) throw new HttpError(400, 'not valid');
        for (const op of ops) if ('id' in op) seen.push(op.id);
        return ops.map(() => ok);
      },
      backoff: backoff(),
      onFinal: () => {},
    });
    queue.hello(0);
    const results = await Promise.all(['a', 'b', 'bad', 'c', 'd'].map((value) => queue.send(set(value))));
    expect(results.map(({ status }) => status)).toEqual(['ok', 'ok', 'error', 'ok', 'ok']);
    expect(results[2]).toMatchObject({ httpStatus: 400, message: 'not valid' });
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test('a credential that was taken back is final; output waits for room', async () => {
    let final = '';
    const queue = new OpsQueue({
      post: async () => {
        throw new HttpError(401, 'gone');
      },
      backoff: new Backoff(systemClock),
      onFinal: (error) => {
        final = error.message;
        queue.stop();
      },
    });
    const answer = queue.send({ ...log(0), text: 'x'.repeat(100) } as OpDraft);
    const room = queue.logRoom(50);
    queue.hello(0);
    expect(await answer).toMatchObject({ status: 'error' });
    await room;
    expect(final).toBe('gone');
  });
});
