import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestServer, type JoinedRun } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open();
});
afterAll(() => server.close());

type Caller = (method: 'GET' | 'PUT' | 'DELETE' | 'POST', key: string, payload?: string) => Promise<[status: number, text: string]>;

/** SlipStream's text API as a machine's key or the run's token opens it. */
function callerOf(run: JoinedRun, token: string): Caller {
  return async (method, key, payload) => {
    const options: InjectOptions = payload === undefined ? {} : { payload, headers: { 'content-type': 'text/plain' } };
    const { statusCode, body, headers } = await server.ask(method, `/run/${run.id}/${key}`, { token, ...options });
    if (body !== '') expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    return [statusCode, body];
  };
}

describe('SlipStream’s text API', () => {
  it('reads, sets and unsets plain values', async () => {
    const run = await server.run();
    const call = callerOf(run, run.token);
    expect(await call('GET', 'web.1:port')).toEqual([200, '8080']);
    expect(await call('GET', 'web:port')).toEqual([200, '8080']);
    expect(await call('GET', 'web.1:ready')).toEqual([412, 'web.1:ready has no value yet']);
    expect(await call('PUT', 'web.1:ready', ' two\nlines = "ü" ')).toEqual([200, '']);
    expect(await call('GET', 'web.1:ready')).toEqual([200, ' two\nlines = "ü" ']);
    expect(await call('DELETE', 'web.1:ready')).toEqual([204, '']);
    expect((await call('GET', 'web.1:ready'))[0]).toBe(412);
    expect(await call('PUT', 'web.1:ready', '')).toEqual([200, '']);
    expect((await call('GET', 'web.1:ready'))[0]).toBe(412);
    expect(await call('GET', 'ss:abort')).toEqual([200, '']);
  });

  it('takes the token as the password of Basic as well', async () => {
    const run = await server.run();
    const headers = { authorization: `Basic ${Buffer.from(`anybody:${run.token}`).toString('base64')}` };
    expect((await server.app.inject({ url: `/run/${run.id}/web.1:port`, headers })).body).toBe('8080');
  });

  it('answers 409 while the abort flag is raised, unless that is ignored', async () => {
    const run = await server.run();
    const call = callerOf(run, run.keyOf('web.1'));
    expect(await call('PUT', 'web.1:abort', 'no disk')).toEqual([200, '']);
    for (const method of ['GET', 'DELETE'] as const) expect(await call(method, 'web.1:ready')).toEqual([409, 'Abort flag raised! no disk']);
    expect((await call('PUT', 'web.1:ready', 'true'))[0]).toBe(409);
    expect((await call('PUT', 'web.1:ready?ignoreabort=true', 'true'))[0]).toBe(200);
    expect(await call('GET', 'web.1:ready?ignoreabort=true')).toEqual([200, 'true']);
    expect(await call('GET', 'ss:abort?ignoreabort=true')).toEqual([200, 'no disk']);
    expect((await call('DELETE', 'ss:abort?ignoreabort=true'))[0]).toBe(204);
    expect((await call('DELETE', 'web.1:abort?ignoreabort=true'))[0]).toBe(204);
    expect(await call('GET', 'web.1:ready')).toEqual([200, 'true']);
    expect(await call('GET', 'web.1:abort')).toEqual([200, '']);
  });

  it('answers 404 to an unknown key, and ends the run when a machine named it', async () => {
    const run = await server.run();
    expect(await callerOf(run, run.token)('GET', 'web.1:redy')).toEqual([404, 'Unknown key web.1:redy']);
    expect((await server.ask('GET', `/api/runs/${run.id}`)).json()).toMatchObject({ abort: null });
    expect(await callerOf(run, run.keyOf('web.1'))('PUT', 'web.1:redy', 'true')).toEqual([404, 'Unknown key web.1:redy']);
    expect((await server.ask('GET', `/api/runs/${run.id}`)).json()).toMatchObject({
      abort: { reason: 'Unknown key web.1:redy', source: 'web.1:abort' },
    });
  });

  it('answers 417 when the run has ended, and ends a run', async () => {
    const run = await server.run();
    expect((await server.ask('DELETE', `/run/${run.id}`, { token: run.token })).statusCode).toBe(204);
    await vi.waitFor(async () => expect((await callerOf(run, run.token)('GET', 'web.1:port'))[0]).toBe(417));
    expect((await server.ask('DELETE', `/run/${run.id}`, { token: run.token })).statusCode).toBe(204);
  });

  it('lets instances complete states, their own only, and says which state comes next', async () => {
    const run = await server.run();
    const [web, client] = [callerOf(run, run.keyOf('web.1')), callerOf(run, run.keyOf('client.1'))];
    expect(await client('POST', 'web.1:complete', 'reset')).toEqual([403, 'Only an instance can complete a state, and only its own']);
    expect(await web('POST', 'web.1:complete?ignoreabort=true', 'reset')).toEqual([200, 'Executing']);
    expect(await web('GET', 'web.1:complete')).toEqual([200, 'true']);
    expect(await client('POST', 'client.1:complete?ignoreabort=true', 'reset')).toEqual([200, 'SendingReports']);
    expect(await web('GET', 'ss:state')).toEqual([200, 'SendingReports']);
    expect(await web('GET', 'web.1:complete')).toEqual([200, 'false']);
  });

  it('lets a machine set what is its own', async () => {
    const run = await server.run();
    const client = callerOf(run, run.keyOf('client.1'));
    expect((await client('PUT', 'web.1:ready', 'true'))[0]).toBe(403);
    expect((await client('PUT', 'client.1:statecustom', 'busy'))[0]).toBe(200);
    expect(await client('GET', 'client.1:statecustom')).toEqual([200, 'busy']);
    expect((await client('PUT', 'ss:url.service', 'http://x'))[0]).toBe(200);
    expect((await client('PUT', 'ss:license', 'stolen'))[0]).toBe(403);
  });

  it('takes a mebibyte and no more', async () => {
    const run = await server.run();
    const call = callerOf(run, run.token);
    expect((await call('PUT', 'client.1:note', 'x'.repeat(1024 * 1024)))[0]).toBe(200);
    expect((await call('PUT', 'client.1:note', 'x'.repeat(1024 * 1024 + 1)))[0]).toBe(413);
  });
});
