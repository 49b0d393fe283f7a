import type { OpResult } from '@paceline/api/agent';
import { describe, expect, test } from 'vitest';
import type { OpDraft } from '../link/ops.ts';
import type { Waited } from '../link/waits.ts';
import type { CommandBench } from './call.ts';
import { runCommandCall } from './commands.ts';
import { encodeReply } from './reply.ts';
import { decodeCall } from './server.ts';

interface Ran {
  reply: string;
  ops: OpDraft[];
  secrets: string[];
}

async function run(
  line: string[],
  { result = { status: 'ok' }, waited, deadline }: { result?: OpResult; waited?: Waited; deadline?: number } = {},
): Promise<Ran> {
  const ops: OpDraft[] = [];
  const secrets: string[] = [];
  const bench: CommandBench = {
    instance: 'web.2',
    clock: { now: () => 1_000_000, sleep: async () => {} },
    ops: {
      send: async (draft) => {
        ops.push(draft);
        return result;
      },
    },
    waits: {
      wait: async ({ ask, accepts }) => {
        ops.push(ask);
        const passedOver = result.status === 'value' && accepts?.(result.value) === false;
        return waited ?? (passedOver ? { result: undefined, confirmed: true } : { result });
      },
    },
    masker: { add: (value) => void secrets.push(value) },
  };
  const [name, ...argv] = line as [string, ...string[]];
  const call = { name, argv, pid: 1, deadline, ignoreAbort: false, cwd: '/', stdin: 'stdin' };
  return { reply: encodeReply(await runCommandCall(call, bench)), ops, secrets };
}

const value = (text: string, secret = false): OpResult => ({ status: 'value', value: text, secret });
const error = (httpStatus: number): OpResult => ({ status: 'error', code: 'X', httpStatus, message: 'why' });

describe('ss-get', () => {
  test.each([
    ['plain', 'plain'],
    ['  "quoted"\n', 'quoted'],
    [`"'both'"`, 'both'],
    [`'"other"'`, '"other"'],
    ['two\nlines\n', 'two\nlines'],
    ['""', ''],
  ])('prints %j as %j', async (stored, printed) => {
    expect((await run(['ss-get', 'k'], { result: value(stored) })).reply).toBe(`0 out\n${printed}`);
  });

  test('asks for the full name', async () => {
    expect((await run(['ss-get', '--ignore-abort', 'db:k'], { result: value('x') })).ops).toEqual([
      { op: 'get', key: 'db.1:k', wait: true, ignoreAbort: true },
    ]);
    expect((await run(['ss-get', '--noblock', 'k'], { result: { status: 'unset' } })).reply).toBe('0 out\n');
    expect((await run(['ss-get', '--json', 'k'], { result: value(' "x" ') })).reply).toBe('0 out\n" \\"x\\" "');
    expect((await run(['ss-get', 'k'], { result: value('s', true) })).secrets).toEqual(['s']);
  });

  test('waits, from the first call on for 60 s or as long as it is told', async () => {
    const unset: Waited = { result: undefined, confirmed: true };
    expect((await run(['ss-get', 'k'], { waited: unset })).reply).toBe('wait 1060000\nWaiting for web.2:k');
    expect((await run(['ss-get', '--timeout=0', 'k'], { waited: unset })).reply).toBe('wait 0\nWaiting for web.2:k');
    expect((await run(['ss-get', 'k'], { waited: unset, deadline: 1_060_000 })).reply).toBe('wait 1060000\nWaiting for web.2:k');
    // Without an end in sight it says so once.
    expect((await run(['ss-get', 'k'], { waited: unset, deadline: 1_700_000 })).reply).toBe('wait 1700000\n');
    expect((await run(['ss-get', '--timeout=0', 'k'], { waited: unset, deadline: 0 })).reply).toBe('wait 0\n');
    expect((await run(['ss-get', 'k'], { waited: unset, deadline: 1_000_000 })).reply).toBe(
      "9 err\n\nError: Exceeded timeout limit of 60 waiting for key 'web.2:k' to be set",
    );
    // The engine is away: its silence is no timeout.
    const silent: Waited = { result: undefined, confirmed: false };
    expect((await run(['ss-get', 'k'], { waited: silent, deadline: 1_000_000 })).reply).toBe('wait 1000000\nWaiting for web.2:k');
  });
});

describe('exit codes', () => {
  test.each([
    [409, '8 err\n\nError: why'],
    [412, '1 err\n\nwhy'],
    [404, '7 err\n\nError: why'],
    [400, '7 err\n\nError: why'],
    [413, '7 err\n\nError: why'],
    [417, '7 err\n\nError: why'],
    [401, '6 err\n\nSecurity Error: why'],
    [403, '6 err\n\nSecurity Error: why'],
    [500, '5 err\n\nError: why'],
    [503, '5 err\n\nError: why'],
  ])('%i', async (status, reply) => {
    for (const line of [
      ['ss-get', 'k'],
      ['ss-set', 'k', 'v'],
      ['ss-abort'],
      ['ss-display', 'x'],
      ['ss-random', 'k'],
      ['ss-get-all', 'n', 'k'],
      ['ss-wait', 'k'],
      ['ss-cancel-abort'],
    ])
      expect((await run(line, { result: error(status) })).reply).toBe(reply);
  });

  test.each([
    [['ss-get'], 'Missing key'],
    [['ss-get', 'a', 'b'], 'Too many arguments'],
    [['ss-get', '--what', 'a'], 'no such option: --what'],
    [['ss-set', 'a'], 'Error, two arguments must be specified'],
    [['ss-set', 'a', 'b', 'c'], 'Error, two arguments must be specified'],
    [['ss-set', 'a', '-1'], 'no such option: -1'],
    [['ss-set', '--file', 'x', 'a', 'b'], 'Error, one argument must be specified'],
    [['ss-abort', 'a', 'b'], 'Too many arguments'],
    [['ss-cancel-abort', 'a'], 'No arguments required'],
    [['ss-display'], 'Error, one argument must be specified'],
    [['ss-random', 'a', 'b'], 'Too many arguments'],
    [['ss-random', '-s', '0'], 'Size value must be a positive integer'],
    [['ss-random', '--size=x'], "option --size: invalid integer value: 'x'"],
    [['ss-get-all', 'a'], 'Missing key'],
    [['ss-get-all'], 'Missing component name and key'],
    [['ss-get-all', 'a', 'b', 'c'], 'Too many arguments'],
    [['ss-wait'], 'Missing key'],
    [['ss-wait', 'a', 'b', 'c'], 'Too many arguments'],
  ])('2: %j', async (line, message) => {
    const { reply, ops } = await run(line);
    expect(reply).toMatch(/^2 err\nUsage: /);
    expect(reply.endsWith(`${line[0]}: error: ${message}`)).toBe(true);
    expect(ops).toEqual([]);
  });
});

describe('ss-set and its kin', () => {
  test('set, unset and clean up', async () => {
    expect(await run(['ss-set', 'k', 'a\x1b[1mb'])).toEqual({
      reply: '0 none\n',
      ops: [{ op: 'set', key: 'web.2:k', value: 'a[1mb', secret: false, ignoreAbort: false }],
      secrets: [],
    });
    expect((await run(['ss-set', '--', 'k', '-v'])).ops).toMatchObject([{ value: '-v' }]);
    expect((await run(['ss-set', 'k', ''])).ops).toEqual([{ op: 'unset', key: 'web.2:k', ignoreAbort: false }]);
    expect((await run(['ss-set', 'k', 'ä'.repeat(5000)])).reply).toBe('0 none\n');
    const long = await run(['ss-set', 'k', 'ä'.repeat(524_289)]);
    expect(long).toMatchObject({ reply: '7 err\n\nError: value exceeds maximum length of 1048576 bytes', ops: [] });
    expect(await run(['ss-set', '--secret', '--file=-', 'k'])).toMatchObject({
      ops: [{ value: 'stdin', secret: true }],
      secrets: ['stdin'],
    });
    expect((await run(['ss-set', '--file', '/nonesuch', 'k'])).reply).toMatch(/^3 err\n\nError: cannot read \/nonesuch/);
    expect((await run(['ss-display', 'x'])).ops).toMatchObject([{ key: 'web.2:statecustom', value: 'x' }]);
  });

  test('random', async () => {
    expect((await run(['ss-random'])).reply).toMatch(/^0 out\n[A-Za-z0-9]{12}$/);
    const { reply, ops } = await run(['ss-random', '-s30', 'k']);
    expect(ops).toMatchObject([{ op: 'set', key: 'web.2:k', value: reply.slice('0 out\n'.length) }]);
  });

  test('abort', async () => {
    expect((await run(['ss-abort'])).ops).toEqual([{ op: 'abort', reason: '(unspecified)' }]);
    expect((await run(['ss-abort', '--cancel', 'x'])).ops).toEqual([{ op: 'cancelAbort' }]);
    const [abort] = (await run(['ss-abort', `a${'x'.repeat(5000)}z`])).ops;
    expect(abort).toMatchObject({ reason: expect.stringMatching(/^ax{2040}\n\(truncated\)\nx{2040}z$/) });
  });
});

describe('ss-get-all and ss-wait', () => {
  const some: OpResult = { status: 'values', values: { '10': 'b', '2': ' a ' }, unset: ['1'] };

  test('lines, by number', async () => {
    expect((await run(['ss-get-all', '--noblock', 'n', 'k'], { result: some })).reply).toBe('0 out\nn.1:k \nn.2:k a\nn.10:k b');
    expect((await run(['ss-get-all', '--json', 'n', 'k'], { result: some })).reply).toBe('0 out\n{"n.1":null,"n.2":"a","n.10":"b"}');
    expect((await run(['ss-get-all', '--value', 'a', 'n', 'k'], { result: some })).reply).toBe(
      '1 both\nRTP value on some components not equal to the expected value: a\nn.1:k \nn.2:k a\nn.10:k b',
    );
    const same: OpResult = { status: 'values', values: { '1': 'a' }, unset: [] };
    expect((await run(['ss-get-all', '--value', 'a', 'n', 'k'], { result: same })).reply).toBe('0 none\n');
    const over = { waited: { result: undefined, confirmed: true } as Waited, deadline: 1, result: some };
    expect((await run(['ss-get-all', 'n', 'k'], over)).reply).toBe('0 out\nn.1:k \nn.2:k a\nn.10:k b');
  });

  test('a barrier waits for the value, whatever the parameter has before', async () => {
    expect((await run(['ss-wait', 'k', 'go'], { result: value('"go"') })).reply).toBe('0 none\n');
    expect((await run(['ss-wait', 'k'], { result: value('x') })).reply).toBe('0 none\n');
    expect((await run(['ss-wait', 'k', 'go'], { result: value('x') })).reply).toBe("wait 1060000\nWaiting for web.2:k to be 'go'");
    expect((await run(['ss-wait', 'k', '$&'], { result: value('x'), deadline: 999_999 })).reply).toBe(
      "9 err\n\nError: Exceeded timeout limit of 60 waiting for key 'web.2:k' to be '$&'",
    );
    expect((await run(['ss-wait', 'k', 'go'], { result: value('go', true) })).secrets).toEqual(['go']);
  });
});

test('arguments are taken as curl encodes them', () => {
  expect(decodeCall('ss-set', 'i=1&w=5&p=17&d=%2Ftmp&a=%40x%3D%0A&a=&a=a%2Bb+c&a=%FF')).toEqual({
    name: 'ss-set',
    argv: ['@x=\n', '', 'a+b c', '\uFFFD'],
    pid: 17,
    deadline: 5,
    ignoreAbort: true,
    cwd: '/tmp',
    stdin: undefined,
  });
});
