import { describe, expect, test, vi } from 'vitest';
import { ConnectorError, type Account, type Connector, type OwnerQuery, type Resource } from '../connector/index.ts';
import { ManualClock } from '../testing/test-engine.ts';
import type { CallFrame, CallKind } from './call-limit.ts';
import { commonQuery } from './cloud-line.ts';
import { Clouds } from './clouds.ts';

const silent = { info: () => {}, warn: () => {} };

function world(calls = { perSecond: 1, burst: 1 }, overrides: Partial<Connector> = {}) {
  const clock = new ManualClock();
  const stop = new AbortController();
  const frame: CallFrame = { clock, log: silent, signal: () => stop.signal };
  const asked: string[] = [];
  const lists: OwnerQuery[] = [];
  const resource = (run: string, token: string): Resource => ({
    kind: 'disk',
    id: run + token,
    name: '',
    owner: { engine: 'e', run },
    token,
  });
  const connector: Connector = {
    info: { name: 'fake', version: '0', api: 1 },
    capabilities: {
      userDataBytes: 4096,
      maxBatch: 1,
      idempotency: 'tag',
      listConsistencyMs: 0,
      console: 'none',
      reach: 'direct',
      snapshot: false,
      calls,
    },
    launch: async () => [],
    describe: async (ids) => (asked.push(`describe ${ids.join(' ')}`), new Map()),
    async *list(query) {
      lists.push(query);
      for (const each of [resource('r1', 't1'), resource('r1', 't2'), resource('r2', 't3')]) {
        if (each.owner.run === (query.run ?? each.owner.run) && each.token === (query.token ?? each.token)) yield each;
      }
    },
    terminate: async () => [],
    probe: async () => (asked.push('probe'), { account: 'a', regions: [] }),
    ...overrides,
  };
  const clouds = new Clouds([{ name: 'c', connector }]);
  const line = clouds.line('c');
  const call = (kind: CallKind, work: () => Promise<unknown> = async () => {}): Promise<unknown> =>
    line.call(frame, kind, async () => {
      asked.push(kind);
      await work();
    });
  const turn = async (ms: number): Promise<void> => {
    clock.pass(ms);
    await new Promise(setImmediate);
  };
  return { clock, stop, frame, asked, lists, line, call, turn, clouds };
}

const broken = (): Promise<never> => Promise.reject(new ConnectorError('unavailable', 'no way'));

describe('the turns of calls', () => {
  test('what ends machines goes first, and what only looks goes last', async () => {
    const { asked, call, turn } = world();
    const kinds: CallKind[] = ['list', 'list', 'describe', 'launch', 'terminate'];
    const calls = kinds.map((kind) => call(kind));
    expect(asked).toEqual(['list']);
    for (let i = 0; i < 4; i++) await turn(1000);
    await Promise.all(calls);
    expect(asked).toEqual(['list', 'terminate', 'launch', 'describe', 'list']);
  });

  test.each<CallKind>(['createImage', 'resolveImage'])('%s may take its time, and keeps no machine waiting', async (kind) => {
    const { asked, call, stop } = world({ perSecond: 1000, burst: 1000 });
    const hanging = Array.from({ length: 40 }, () => call(kind, () => new Promise(() => {})));
    await call('describe');
    expect(asked).toEqual([...hanging.map(() => kind), 'describe']);
    stop.abort(new Error('the test is over'));
    await Promise.allSettled(hanging);
  });

  test('a cloud that complains is not asked before the time that it names, then more slowly', async () => {
    const { asked, call, turn } = world({ perSecond: 10, burst: 10 });
    const complaint = new ConnectorError('throttled', 'too much', { retryAfterMs: 5000 });
    await expect(call('launch', () => Promise.reject(complaint))).rejects.toBe(complaint);
    const next = [call('describe'), call('describe')];
    await turn(4999);
    expect(asked).toEqual(['launch']);
    await turn(201);
    expect(asked).toHaveLength(2);
    await turn(200);
    await Promise.all(next);
    expect(asked).toHaveLength(3);
  });

  test('a call whose turn does not come is given up, also when the engine stops', async () => {
    const { asked, call, clock, stop } = world({ perSecond: 0.0001, burst: 1 });
    await call('list');
    const late = call('list').catch((error: ConnectorError) => error.code);
    clock.pass(300_001);
    expect(await late).toBe('throttled');
    const stopped = call('list').catch((error: ConnectorError) => error.code);
    stop.abort(new Error('the engine stops'));
    expect(await stopped).toBe('unavailable');
    expect(asked).toEqual(['list']);
  });

  test('calls that hang do not keep machines from being ended', async () => {
    const { asked, call } = world({ perSecond: 1000, burst: 1000 });
    const hanging = Array.from({ length: 40 }, () => call('launch', () => new Promise(() => {})));
    await call('terminate');
    expect(asked.filter((kind) => kind === 'launch')).toHaveLength(32);
    expect(hanging).toHaveLength(40);
  });

  test('connectors of one scope share their turns', async () => {
    const { frame, clock } = world();
    const seen: string[] = [];
    const of = (name: string): Connector => {
      const { line } = world();
      return {
        ...line.connector,
        info: { name: 'fake', version: '0', api: 1, scope: 'me here' },
        probe: async () => (seen.push(name), { account: '', regions: [] }),
      };
    };
    const clouds = new Clouds(['one', 'two'].map((name) => ({ name, connector: of(name) })));
    const calls = ['one', 'two'].map((name) => {
      const line = clouds.line(name);
      return line.call(frame, 'probe', (context) => line.connector.probe(context));
    });
    expect(seen).toEqual(['one']);
    clock.pass(1000);
    await Promise.all(calls);
    expect(seen).toEqual(['one', 'two']);
  });
});

describe('a cloud that is broken', () => {
  test('is left alone for a while, and tried by one call without effect before the others', async () => {
    const { asked, call, turn } = world({ perSecond: 1000, burst: 1000 });
    for (let i = 0; i < 5; i++) await expect(call('launch', broken)).rejects.toThrow('no way');
    await expect(call('terminate')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'the cloud has failed 5 times in a row and is left alone for a while: no way',
      details: { retryAfterMs: 15_000 },
    });
    expect(asked).toHaveLength(5);
    await turn(15_000);
    await Promise.all([call('terminate'), call('list')]);
    expect(asked.slice(5)).toEqual(['probe', 'terminate', 'list']);
  });

  test('is left alone again when the trial fails', async () => {
    const probe = vi.fn<() => Promise<never>>(broken);
    const { asked, call, turn } = world({ perSecond: 1000, burst: 1000 }, { probe });
    for (let i = 0; i < 5; i++) await expect(call('launch', broken)).rejects.toThrow('no way');
    await turn(15_000);
    const calls = [call('terminate'), call('list')].map((each) => each.catch((error: ConnectorError) => error.details.retryAfterMs));
    expect(await Promise.all(calls)).toEqual([30_000, 30_000]);
    expect(probe).toHaveBeenCalledTimes(1);
    expect(asked).toHaveLength(5);
  });

  test('is tried once more when whoever had it tried waits no more, and not for ever', async () => {
    let probes = 0;
    const probe = (): Promise<Account> => {
      probes += 1;
      if (probes === 1) return new Promise(() => {});
      return probes < 100 ? broken() : Promise.resolve({ account: '', regions: [] });
    };
    const { line, frame, call, turn, stop } = world({ perSecond: 1000, burst: 1000 }, { probe });
    for (let i = 0; i < 5; i++) await expect(call('launch', broken)).rejects.toThrow('no way');
    await turn(15_000);
    const ours = call('terminate').catch((error: ConnectorError) => error.message);
    const signal = new AbortController().signal;
    const theirs = line
      .call({ ...frame, signal: () => signal }, 'list', async () => 'asked')
      .catch((error: ConnectorError) => error.details);
    stop.abort(new Error('the engine stops'));
    expect(await ours).toBe('the engine stops');
    expect(await theirs).toMatchObject({ retryAfterMs: 30_000 });
    expect(probes).toBe(2);
  });
});

describe('those who ask at the same time', () => {
  test('share one list, and each gets what he has asked for', async () => {
    const { lists, line, frame, call, turn } = world();
    await call('list');
    const asks = [
      line.list(frame, undefined, { engine: 'e', run: 'r1', token: 't1' }),
      line.list(frame, undefined, { engine: 'e', run: 'r1' }),
      line.list(frame, undefined, { engine: 'e', run: 'r2' }),
    ];
    await turn(1000);
    expect((await Promise.all(asks)).map((found) => found.map(({ id }) => id))).toEqual([['r1t1'], ['r1t1', 'r1t2'], ['r2t3']]);
    expect(lists).toEqual([{ engine: 'e' }]);
  });

  test('get no list that was begun before they asked', async () => {
    const { lists, line, frame } = world({ perSecond: 1000, burst: 1000 });
    const first = line.list(frame, undefined, { engine: 'e', run: 'r1' });
    const second = line.list(frame, undefined, { engine: 'e', run: 'r1' });
    await Promise.all([first, second]);
    expect(lists).toHaveLength(2);
  });

  test('share one description', async () => {
    const { asked, line, frame, call, turn } = world();
    await call('list');
    const asks = [line.describe(frame, undefined, ['a', 'b']), line.describe(frame, undefined, ['b', 'c'])];
    await turn(1000);
    await Promise.all(asks);
    expect(asked).toEqual(['list', 'describe a b c']);
  });

  test('all hear of its failure', async () => {
    const { line, frame, stop, call } = world();
    await call('list');
    const asks = [line.list(frame, undefined, { engine: 'e' }), line.list(frame, undefined, { engine: 'e', run: 'r1' })].map((ask) =>
      ask.catch((error: ConnectorError) => error.message),
    );
    stop.abort(new Error('the engine stops'));
    expect(await Promise.all(asks)).toEqual(['the engine stops', 'the engine stops']);
  });

  test('ask no wider than they have to', () => {
    expect(commonQuery([{ engine: 'e', run: 'r', token: 't' }])).toEqual({ engine: 'e', run: 'r', token: 't' });
    expect(
      commonQuery([
        { engine: 'e', run: 'r', token: 't' },
        { engine: 'e', run: 'r' },
      ]),
    ).toEqual({ engine: 'e', run: 'r' });
    expect(commonQuery([])).toBeUndefined();
  });
});
