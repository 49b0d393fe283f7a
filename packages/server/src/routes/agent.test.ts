import { createHash } from 'node:crypto';
import type { OpsResponse, OpResult } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open();
});
afterAll(() => server.close());

function join(run: string, secret: string, instance = 'web.1') {
  const payload = { run, instance, secret, keyHash: 'b'.repeat(64), agentVersion: '0', nodeVersion: '24', bootId: '1' };
  return server.ask('POST', '/agent/join', { token: null, payload });
}

describe('joining', () => {
  it('with a guessed secret is refused, recorded as an alarm, and soon not even looked at', async () => {
    const run = await server.run();
    const statuses: number[] = [];
    for (let guess = 0; guess < 35; guess++) statuses.push((await join(run.id, `guess ${guess}`)).statusCode);
    expect(statuses.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 403));
    expect(statuses.slice(30)).toEqual([429, 429, 429, 429, 429]);
    const { events } = (await server.ask('GET', `/api/runs/${run.id}/events?limit=1000`)).json<{ events: { type: string }[] }>();
    expect(events.filter(({ type }) => type === 'security.alarm')).toHaveLength(30);
    // Others are not held up by that.
    expect((await join(run.id, 'guess', 'client.1')).statusCode).toBe(403);
    expect((await join(run.id, 'guess')).json()).toMatchObject({ code: 'PACELINE_RATE_LIMITED', status: 429 });
  });

  it('says the same of an unknown run as of an unknown instance', async () => {
    const run = await server.run();
    const answers = [await join('00000000-0000-4000-8000-000000000000', 'x'), await join(run.id, 'x', 'web.7')];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([403, 403]);
  });

  it('takes no more than it needs', async () => {
    const answer = await server.ask('POST', '/agent/join', { token: null, payload: { run: 'x'.repeat(20_000) } });
    expect(answer.statusCode).toBe(413);
  });
});

describe('an agent', () => {
  it('fetches its bundle and the scripts of its run, by their digests', async () => {
    const run = await server.run();
    const bundle = await server.ask('GET', `/agent/files/${server.agentDigest}`, { token: null });
    expect(createHash('sha256').update(bundle.rawPayload).digest('hex')).toBe(server.agentDigest);
    expect(bundle.headers['cache-control']).toContain('immutable');
    const agent = run.agents.get('client.1')?.connect();
    await agent?.session;
    const hello = agent?.events[0];
    const step = hello?.event === 'hello' ? hello.data.assignment.steps[0] : undefined;
    const digest = step?.kind === 'script' ? step.digest : '';
    const script = await server.ask('GET', `/agent/scripts/${digest}`, { token: run.keyOf('client.1') });
    expect(script.body).toBe('#!/bin/sh\nss-get web.password\nss-get note\n');
    expect((await server.ask('GET', '/agent/scripts/x', { token: run.keyOf('client.1') })).statusCode).toBe(400);
  });

  it('says things in batches, each once, and hears what became of each', async () => {
    const run = await server.run();
    const token = run.keyOf('web.1');
    const session = await run.agents.get('web.1')?.connect().session;
    const say = async (...ops: object[]): Promise<OpResult[]> =>
      (await server.ask('POST', '/agent/ops', { token, payload: { session, ops } })).json<OpsResponse>().results;
    const set = (id: number, value: string) => ({ op: 'set', id, key: 'web.1:ready', value, secret: false, ignoreAbort: false });
    const get = { op: 'get', key: 'web.1:ready', wait: false, ignoreAbort: false };
    expect(await say(get, set(1, 'true'), get)).toEqual([
      { status: 'unset' },
      { status: 'ok' },
      { status: 'value', value: 'true', secret: false },
    ]);
    expect(await say(set(1, 'again'), get)).toEqual([{ status: 'ok' }, { status: 'value', value: 'true', secret: false }]);
    expect(await say({ ...set(2, 'x'), key: 'client.1:note' })).toMatchObject([
      { status: 'error', code: 'PACELINE_FORBIDDEN', httpStatus: 403 },
    ]);
  });

  it.each([
    ['an unknown op', { op: 'become', user: 'root' }],
    ['an op with more in it', { op: 'cancelAbort', id: 1, run: 'other' }],
    ['an op number that is none', { op: 'cancelAbort', id: -1 }],
    [
      'a value of more than a mebibyte',
      { op: 'set', id: 1, key: 'web.1:ready', value: 'x'.repeat(1024 * 1024 + 1), secret: false, ignoreAbort: false },
    ],
    ['output that cannot be counted', { op: 'log', source: 's', stream: 'stdout', offset: 2 ** 53 - 1, bytes: 1, text: 'x', at: '' }],
    ['an endless key', { op: 'get', key: 'x'.repeat(301), wait: false, ignoreAbort: false }],
    ['an endless reason', { op: 'abort', id: 1, reason: 'x'.repeat(8193) }],
  ])('that says %s is refused as a whole', async (_what, op) => {
    const run = await server.run();
    const answer = await server.ask('POST', '/agent/ops', { token: run.keyOf('web.1'), payload: { session: '', ops: [op] } });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([400, 'PACELINE_REQUEST_INVALID']);
  });

  it('has one stream: a second one takes over from the first', async () => {
    const run = await server.run();
    const base = await server.app.listen({ host: '127.0.0.1', port: 0 });
    const open = async (): Promise<ReadableStreamDefaultReader<Uint8Array>> => {
      const response = await fetch(`${base}/agent/stream`, { headers: { authorization: `Bearer ${run.keyOf('web.1')}` } });
      return (response.body as ReadableStream<Uint8Array>).getReader();
    };
    const first = await open();
    expect(new TextDecoder().decode((await first.read()).value)).toMatch(
      /^event: hello\ndata: \{"session":"[^"]+","assignment":\{"seq":3,"state":"Executing"/,
    );
    const second = await open();
    await second.read();
    expect((await first.read()).value === undefined || (await first.read()).done).toBe(true);
    const connected = async (): Promise<boolean[]> =>
      (await server.ask('GET', `/api/runs/${run.id}`))
        .json<{ instances: { connected: boolean }[] }>()
        .instances.map((one) => one.connected);
    expect(await connected()).toEqual([true, false]);
    await second.cancel();
    await vi.waitFor(async () => expect(await connected()).toEqual([false, false]));
  });
});
