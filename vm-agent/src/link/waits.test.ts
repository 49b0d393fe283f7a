import type { OpResult } from '@paceline/api/agent';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import type { OpDraft } from './ops.ts';
import { type Question, Waits, valueQuestion, valuesQuestion } from './waits.ts';

function setUp(answers: OpResult[]) {
  const sent: OpDraft[] = [];
  const waits = new Waits(async (draft) => {
    sent.push(draft);
    return answers.shift() ?? { status: 'unset' };
  }, systemClock);
  return { waits, sent };
}
const question = valueQuestion('a.1:k', false);

describe('waits', () => {
  test('a value that is there comes with the first answer', async () => {
    const { waits } = setUp([{ status: 'value', value: 'v', secret: false }]);
    expect(await waits.wait(question, 1000, true)).toEqual({ result: { status: 'value', value: 'v', secret: false } });
  });

  test('many who wait for one key ask once and wake together', async () => {
    const { waits, sent } = setUp([]);
    const all = Array.from({ length: 50 }, () => waits.wait(question, 10_000, false));
    expect(await waits.wait(question, 1000, true)).toEqual({ result: undefined, confirmed: true });
    waits.value({ key: 'a.1:k', value: 'v', secret: true });
    for (const { result } of await Promise.all(all)) expect(result).toEqual({ status: 'value', value: 'v', secret: true });
    expect(sent).toEqual([{ op: 'get', key: 'a.1:k', wait: true, ignoreAbort: false }]);
    await waits.wait(question, 1000, true);
    expect(sent).toHaveLength(2);
  });

  test('a new connection is told of it, and finds what came meanwhile', async () => {
    const { waits, sent } = setUp([{ status: 'unset' }, { status: 'value', value: 'late', secret: false }]);
    waits.hello();
    const one = waits.wait(question, 10_000, false);
    await waits.wait(question, 1000, true);
    waits.down();
    expect(await waits.wait(question, 0, false)).toEqual({ result: undefined, confirmed: false });
    waits.hello();
    expect((await one).result).toMatchObject({ value: 'late' });
    expect(sent).toHaveLength(2);
  });

  test('an abort ends those who want to see it', async () => {
    const { waits, sent } = setUp([]);
    const seeing = waits.wait(question, 10_000, false);
    const blind = waits.wait(valueQuestion('a.1:k', true), 10_000, false);
    const all = waits.wait(valuesQuestion('b', 'x', false), 10_000, false);
    waits.abort('why');
    expect((await seeing).result).toMatchObject({ status: 'error', httpStatus: 409, message: 'Abort flag raised! why' });
    expect((await all).result).toMatchObject({ httpStatus: 409 });
    waits.value({ key: 'a.1:k', value: 'v', secret: false });
    expect((await blind).result).toMatchObject({ value: 'v' });
    expect(sent.map(({ op }) => op)).toEqual(['get', 'get', 'getAll', 'unwaitAll']);
  });

  test('an abort that overtakes the answer to a question does not take its place', async () => {
    const refusal: OpResult = { status: 'error', code: 'PACELINE_PARAMETER_UNKNOWN', httpStatus: 404, message: 'Unknown key a.1:k' };
    const { waits, sent } = setUp([refusal]);
    const asking = waits.wait(question, 10_000, false);
    waits.abort('Unknown key a.1:k');
    expect((await asking).result).toEqual(refusal);
    expect(sent.map(({ op }) => op)).toEqual(['get']);
  });

  test('a refusal ends the wait of everybody, whether they see aborts or not', async () => {
    const { waits, sent } = setUp([]);
    const error = { code: 'X', httpStatus: 403, message: 'It has become a secret' };
    for (const ignoreAbort of [false, true]) {
      const one = waits.wait(valueQuestion('a.1:k', ignoreAbort), 10_000, false);
      const all = waits.wait(valuesQuestion('b', 'x', ignoreAbort), 10_000, false);
      const other = waits.wait(valueQuestion('a.1:other', ignoreAbort), 0, false);
      waits.refused({ key: 'a.1:k', ...error });
      waits.refused({ node: 'b', name: 'x', ...error });
      expect(await Promise.all([one, all])).toEqual([{ result: { status: 'error', ...error } }, { result: { status: 'error', ...error } }]);
      expect((await other).result).toBeUndefined();
    }
    // The engine has forgotten them by itself.
    expect(sent.map(({ op }) => op)).toEqual(['get', 'getAll', 'get', 'get', 'getAll', 'get']);
  });

  test('a value that is not the one that is waited for is passed over, and asked for no more', async () => {
    const { waits, sent } = setUp([{ status: 'value', value: 'one', secret: false }]);
    waits.hello();
    const barrier: Question = { ...question, name: 'until three', accepts: (value) => value === 'three' };
    const passed = barrier.ask;
    // As long as somebody asks again, it is the same question; also on a new connection.
    expect(await waits.wait(barrier, 10_000, true)).toEqual({ result: undefined, confirmed: true });
    expect(await waits.wait(barrier, 0, false)).toEqual({ result: undefined, confirmed: true });
    waits.hello();
    waits.value({ key: 'a.1:k', value: 'two', secret: false });
    const waiting = waits.wait(barrier, 10_000, false);
    const other = waits.wait({ ...question, name: 'until two' }, 10_000, false);
    waits.value({ key: 'a.1:k', value: 'three', secret: false });
    expect((await waiting).result).toMatchObject({ value: 'three' });
    expect((await other).result).toMatchObject({ value: 'three' });
    expect(sent).toEqual([passed, ...['one', 'one', 'two'].map((unless) => ({ ...passed, unless })), passed]);
  });

  test('an engine that answers with what is passed over already is not asked again and again', async () => {
    const { waits, sent } = setUp(Array.from({ length: 9 }, () => ({ status: 'value', value: 'one', secret: false })));
    expect(await waits.wait({ ...question, accepts: () => false }, 10_000, true)).toEqual({ result: undefined, confirmed: true });
    expect(sent).toHaveLength(2);
  });

  test('an answer that comes after the value changes nothing', async () => {
    let answer!: (result: OpResult) => void;
    const waits = new Waits(() => new Promise((resolve) => (answer = resolve)), systemClock);
    const waiting = waits.wait(question, 10_000, false);
    waits.value({ key: 'a.1:k', value: 'first', secret: false });
    answer({ status: 'unset' });
    expect((await waiting).result).toMatchObject({ value: 'first' });
  });
});
