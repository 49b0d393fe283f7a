import * as fc from 'fast-check';
import type { ParameterView } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer, type JoinedRun } from '../testing/test-server.ts';

let server: TestServer;
let run: JoinedRun;
beforeAll(async () => {
  server = await TestServer.open();
  run = await server.run();
});
afterAll(() => server.close());

const url = (key: string): string => `/api/runs/${run.id}/parameters/${encodeURIComponent(key)}`;
const get = async (key: string, query = ''): Promise<ParameterView> => (await server.ask('GET', url(key) + query)).json();

describe('parameters', () => {
  it('are all listed, with secrets masked', async () => {
    await server.ask('PUT', url('web.1:password'), { payload: { value: 'hush' } });
    const { parameters } = (await server.ask('GET', `/api/runs/${run.id}/parameters`)).json<{ parameters: ParameterView[] }>();
    const byKey = new Map(parameters.map((parameter) => [parameter.key, parameter]));
    expect(byKey.get('ss:state')?.value).toBe('Executing');
    expect(byKey.get('ss:license')).toEqual({ key: 'ss:license', value: '***', secret: true });
    expect(byKey.get('web:ids')?.value).toBe('1');
    expect(byKey.get('client.1:web.password')).toEqual({ key: 'client.1:web.password', value: '***', secret: true });
    expect(byKey.get('web.1:ready')?.value).toBeNull();
    expect(JSON.stringify(parameters)).not.toMatch(/hush|the license/);
  });

  it('are set, read through a mapping and taken away', async () => {
    expect((await server.ask('PUT', url('web:password'), { payload: { value: 'x y' } })).json()).toEqual({
      key: 'web.1:password',
      value: '***',
      secret: true,
    });
    expect(await get('client.1:web.password')).toEqual({ key: 'client.1:web.password', value: '***', secret: true });
    expect(await get('client.1:web.password', '?reveal=true')).toMatchObject({ value: 'x y' });
    expect((await server.ask('DELETE', url('web.1:password'))).statusCode).toBe(204);
    expect(await get('client.1:web.password', '?reveal=true')).toMatchObject({ value: null });
  });

  it('keep any text as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), async (value) => {
        await server.ask('PUT', url('client.1:note'), { payload: { value } });
        expect((await get('client.1:note')).value).toBe(value);
      }),
      { numRuns: 100 },
    );
  });

  it('hold a mebibyte and no more', async () => {
    const fits = await server.ask('PUT', url('client.1:note'), { payload: { value: 'x'.repeat(1024 * 1024) } });
    expect(fits.statusCode).toBe(200);
    const over = await server.ask('PUT', url('client.1:note'), { payload: { value: 'ü'.repeat(512 * 1024 + 1) } });
    expect([over.statusCode, over.json<{ code: string }>().code]).toEqual([413, 'PACELINE_TOO_LARGE']);
    const flood = await server.ask('PUT', url('client.1:note'), { payload: { value: 'x'.repeat(8 * 1024 * 1024) } });
    expect(flood.statusCode).toBe(413);
    expect((await get('client.1:note')).value).toHaveLength(1024 * 1024);
  });

  it('may be called secret when they are set', async () => {
    await server.ask('PUT', url('client.1:note'), { payload: { value: 'private', secret: true } });
    expect(await get('client.1:note')).toEqual({ key: 'client.1:note', value: '***', secret: true });
    await server.ask('PUT', url('client.1:note'), { payload: { value: 'public' } });
  });

  it.each([
    ['GET', 'web.1:prot', 404, 'PACELINE_PARAMETER_UNKNOWN'],
    ['PUT', 'web.1:prot', 404, 'PACELINE_PARAMETER_UNKNOWN'],
    ['PUT', 'web.7:ready', 404, 'PACELINE_PARAMETER_UNKNOWN'],
    ['PUT', 'ss:state', 403, 'PACELINE_FORBIDDEN'],
    ['PUT', 'web:ids', 403, 'PACELINE_FORBIDDEN'],
    ['PUT', 'web.1:complete', 403, 'PACELINE_FORBIDDEN'],
    ['DELETE', 'web.1:nodename', 403, 'PACELINE_FORBIDDEN'],
    ['GET', '__proto__', 404, 'PACELINE_PARAMETER_UNKNOWN'],
    ['GET', 'web.1:__proto__', 404, 'PACELINE_PARAMETER_UNKNOWN'],
    ['GET', 'web.1:constructor', 404, 'PACELINE_PARAMETER_UNKNOWN'],
    ['PUT', 'ss:toString', 404, 'PACELINE_PARAMETER_UNKNOWN'],
    ['GET', '__proto__:x', 404, 'PACELINE_PARAMETER_UNKNOWN'],
    ['GET', 'constructor:ids', 404, 'PACELINE_PARAMETER_UNKNOWN'],
  ])('refuse %s %s', async (method, key, status, code) => {
    const answer = await server.ask(method, url(key), method === 'PUT' ? { payload: { value: 'x' } } : {});
    expect(answer.json()).toMatchObject({ status, code });
    expect((await server.ask('GET', `/api/runs/${run.id}`)).json()).toMatchObject({ abort: null });
  });

  it('that are set while the abort flag is raised are set: people may still repair a run', async () => {
    await server.ask('POST', `/api/runs/${run.id}/abort`, { payload: { reason: 'a test' } });
    expect((await server.ask('PUT', url('client.1:note'), { payload: { value: 'repaired' } })).statusCode).toBe(200);
    await server.ask('DELETE', `/api/runs/${run.id}/abort`);
  });
});
