import { type Op, type OpResult, type OpsRequest, opsHeartbeatMs } from '@paceline/api/agent';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Backoff } from '../backoff.ts';
import { systemClock } from '../clock.ts';
import { HttpError } from './http.ts';
import { type OpDraft, OpsQueue } from './ops.ts';

const backoff = (): Backoff => new Backoff({ now: () => 0, sleep: () => new Promise((resolve) => setImmediate(resolve)) });
const set = (value: string): OpDraft => ({ op: 'set', key: 'k', value, secret: false, ignoreAbort: false });
const log = (offset: number): OpDraft => ({ op: 'log', source: 's', stream: 'stdout', offset, bytes: 1, text: 'x', at: '' });
const ok: OpResult = { status: 'ok' };

/** Carries each number out once and in order, on the newest connection; loses requests, answers and connections as it is told. */
function lossyEngine(faults: number[], reconnect: (lastOp: number, session: string) => void) {
  let last = 0;
  let turn = 0;
  let underWay = 0;
  let session = 0;
  const seen: Op[] = [];
  const numbers = new Map<number, string>();
  function connect(): void {
    const [lastOp, name] = [last, String(++session)];
    setImmediate(() => reconnect(lastOp, name));
  }
  async function post({ session: said, ops }: OpsRequest): Promise<OpResult[]> {
    if (++underWay > 1) throw new Error('two requests at once');
    await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    const fault = faults[turn++] ?? 0;
    if (fault === 1) throw new Error('request lost');
    if (fault === 2) throw new HttpError(503, 'busy');
    if (fault === 3 && ops.length > 1) throw new HttpError(413, 'too much');
    if (fault === 6) connect();
    if (said !== String(session)) throw new HttpError(409, 'another connection');
    for (const op of ops) {
      if ('id' in op) expect(numbers.get(op.id) ?? JSON.stringify(op)).toBe(JSON.stringify(op));
      if ('id' in op) numbers.set(op.id, JSON.stringify(op));
      if (!('id' in op)) seen.push(op);
      else if (op.id === last + 1) {
        last = op.id;
        seen.push(op);
      } else if (op.id > last) throw new Error(`${op.id} after ${last}`);
    }
    if (fault === 4) throw new Error('answer lost');
    if (fault === 5) return [];
    if (fault === 7) connect();
    return ops.map(() => ok);
  }
  return { post, seen, connect };
}

describe('ops', () => {
  test('nothing is lost, done twice or out of order, whatever the network does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(7), { maxLength: 30 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        async (faults, kinds) => {
          const engine = lossyEngine(faults, (lastOp, session) => queue.hello({ lastOp, session }));
          const queue = new OpsQueue({ post: engine.post, backoff: backoff(), onFinal: () => {}, maxOps: 4 });
          const answers: Promise<OpResult>[] = [];
          const half = kinds.length >> 1;
          for (const [index, isSet] of kinds.entries()) {
            if (index === half) engine.connect();
            answers.push(queue.send(isSet ? set(String(index)) : log(index)));
            if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
            if (index > half && index % 5 === 0) engine.connect();
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
      post: async ({ ops }) => {
        batches.push(ops);
        return ops.map(() => ok);
      },
      backoff: backoff(),
      onFinal: () => {},
    });
    const first = queue.send(set('early'));
    queue.hello({ session: 's', lastOp: 41 });
    await first;
    await Promise.all([queue.send(log(0)), queue.send(set('b')), queue.send({ op: 'get', key: 'k', wait: false, ignoreAbort: false })]);
    expect(batches.map((batch) => batch.map((op) => ('id' in op ? op.id : op.op)))).toEqual([[42], [43, 'get', 'log']]);
  });

  test('an op that the engine cannot take fails alone', async () => {
    const seen: number[] = [];
    const queue = new OpsQueue({
      post: async ({ ops }) => {
        if (ops.some((op) => op.op === 'set' && op.value === 'bad')) throw new HttpError(400, 'not valid');
        for (const op of ops) if ('id' in op) seen.push(op.id);
        return ops.map(() => ok);
      },
      backoff: backoff(),
      onFinal: () => {},
    });
    queue.hello({ session: 's', lastOp: 0 });
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
    queue.hello({ session: 's', lastOp: 0 });
    expect(await answer).toMatchObject({ status: 'error' });
    await room;
    expect(final).toBe('gone');
  });

  test('what is said on a connection that has been replaced is said again on the next one, with its number', async () => {
    const requests: OpsRequest[] = [];
    let newest = 'b';
    const refused = Promise.withResolvers<void>();
    const queue = new OpsQueue({
      post: async (request) => {
        requests.push(request);
        if (request.session === newest) return request.ops.map(() => ok);
        refused.resolve();
        throw new HttpError(409, 'another connection');
      },
      // Only the next hello ends this wait.
      backoff: new Backoff({
        now: () => 0,
        sleep: (_, signal) => new Promise((resolve) => signal!.addEventListener('abort', () => resolve())),
      }),
      onFinal: () => {},
    });
    queue.hello({ session: 'a', lastOp: 6 });
    const answers = Promise.all([queue.send(set('x')), queue.send(log(0)), queue.send(set('y'))]);
    await refused.promise;
    queue.down();
    const later = queue.send(set('z'));
    queue.hello({ session: 'b', lastOp: 6 });
    expect(await answers).toEqual([ok, ok, ok]);
    await later;
    // The engine has lost what it had answered: numbers are not used twice.
    queue.hello({ session: (newest = 'c'), lastOp: 7 });
    await queue.send(set('w'));
    expect(requests.map(({ session, ops }) => [session, ...ops.map((op) => ('id' in op ? op.id : op.op))])).toEqual([
      ['a', 7, 8, 'log'],
      ['b', 7, 8, 9, 'log'],
      ['c', 10],
    ]);
    queue.stop();
  });

  test('a request that gets no answer is given up with its connection', async () => {
    const sessions: string[] = [];
    const queue = new OpsQueue({
      post: ({ session, ops }, signal) => {
        sessions.push(session);
        if (session === 'b') return Promise.resolve(ops.map(() => ok));
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      },
      backoff: backoff(),
      onFinal: () => {},
    });
    queue.hello({ session: 'a', lastOp: 0 });
    const answer = queue.send(set('x'));
    await new Promise((resolve) => setImmediate(resolve));
    queue.hello({ session: 'b', lastOp: 0 });
    expect(await answer).toEqual(ok);
    expect(sessions).toEqual(['a', 'b']);
    queue.stop();
  });

  describe('a queue with nothing to say', () => {
    afterEach(() => void vi.useRealTimers());

    test('says so while there is a link, and nobody minds if that fails', async () => {
      vi.useFakeTimers();
      const requests: [at: number, session: string, ops: number][] = [];
      const start = Date.now();
      let fails = false;
      const queue = new OpsQueue({
        post: async ({ session, ops }) => {
          requests.push([Date.now() - start, session, ops.length]);
          if (fails) throw new HttpError(401, 'gone');
          return ops.map(() => ok);
        },
        backoff: backoff(),
        onFinal: () => expect.unreachable(),
      });
      await vi.advanceTimersByTimeAsync(5 * opsHeartbeatMs);
      expect(requests).toEqual([]);
      queue.hello({ session: 'a', lastOp: 0 });
      await vi.advanceTimersByTimeAsync(opsHeartbeatMs - 10);
      await queue.send(log(0));
      await vi.advanceTimersByTimeAsync(opsHeartbeatMs - 1);
      expect(requests.splice(0)).toEqual([[6 * opsHeartbeatMs - 10, 'a', 1]]);
      await vi.advanceTimersByTimeAsync(1);
      fails = true;
      await vi.advanceTimersByTimeAsync(2 * opsHeartbeatMs);
      expect(requests.splice(0).map(([, ...rest]) => rest)).toEqual([
        ['a', 0],
        ['a', 0],
        ['a', 0],
      ]);
      fails = false;
      expect(await queue.send(set('x'))).toEqual(ok);
      queue.down();
      await vi.advanceTimersByTimeAsync(5 * opsHeartbeatMs);
      expect(requests.splice(0)).toHaveLength(1);
      queue.hello({ session: 'b', lastOp: 1 });
      queue.stop();
      await vi.advanceTimersByTimeAsync(5 * opsHeartbeatMs);
      expect(requests).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
    });

    test('what comes while it says so follows at once', async () => {
      vi.useFakeTimers();
      const sent: number[] = [];
      const answers: (() => void)[] = [];
      const queue = new OpsQueue({
        post: ({ ops }) =>
          new Promise((resolve) => {
            sent.push(ops.length);
            answers.push(() => resolve(ops.map(() => ok)));
          }),
        backoff: backoff(),
        onFinal: () => {},
      });
      queue.hello({ session: 'a', lastOp: 0 });
      await vi.advanceTimersByTimeAsync(opsHeartbeatMs);
      const answer = queue.send(set('x'));
      await vi.advanceTimersByTimeAsync(2 * opsHeartbeatMs);
      expect(sent).toEqual([0]);
      answers.shift()!();
      await vi.advanceTimersByTimeAsync(0);
      answers.shift()!();
      expect(await answer).toEqual(ok);
      expect(sent).toEqual([0, 1]);
      queue.stop();
    });
  });
});
