import { randomUUID } from 'node:crypto';
import type { CreatedRun, RunDetail } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientServer, TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open();
});
afterAll(() => server.close());

const detail = async (id: string): Promise<RunDetail> => (await server.ask('GET', `/api/runs/${id}`)).json();

describe('a run', () => {
  it('is started, found by its id, the beginning of it and its name, and ended', async () => {
    const answer = await server.ask('POST', '/api/runs', {
      payload: {
        deployment: await clientServer(),
        name: 'nightly',
        tags: ['ci'],
        parameters: { 'web:port': '80', 'client:multiplicity': '2' },
      },
    });
    expect(answer.statusCode).toBe(201);
    const { run, token } = answer.json<CreatedRun>();
    expect(answer.headers['location']).toBe(`/api/runs/${run.id}`);
    expect(token).toMatch(/^plr_.{30,}$/);
    expect(run).toMatchObject({ name: 'nightly', tags: ['ci'], category: 'Deployment', createdBy: 'operator', keepRunning: 'on-success' });
    expect(run.instances.map(({ name }) => name)).toEqual(['web.1', 'client.1', 'client.2']);
    for (const text of [run.id, run.id.slice(0, 8), 'nightly']) expect((await detail(text)).id).toBe(run.id);

    const ending = await server.ask('DELETE', `/api/runs/${run.id}`, { token });
    expect(ending.statusCode).toBe(202);
    await vi.waitFor(async () => expect(await detail(run.id)).toMatchObject({ state: 'Cancelled', endedAt: expect.any(String) }));
    expect((await server.ask('DELETE', `/api/runs/${run.id}`)).statusCode).toBe(202);
  });

  it('is refused with the numbers when its cloud has no room for it, or when it would cost too much', async () => {
    const { connector } = server.world.cloud;
    connector.quota = async () => ({ machines: { used: 9, max: 10 } });
    connector.offers = async () => [{ name: 's', cpus: 1, memoryMiB: 512, price: { amount: 1, currency: 'EUR' } }];
    const deployment = await clientServer();
    const full = await server.ask('POST', '/api/runs', { payload: { deployment } });
    expect(full.statusCode).toBe(409);
    expect(full.json()).toMatchObject({
      code: 'PACELINE_NO_ROOM',
      detail: expect.stringContaining('client: test has 0 of 10 machines left for it, and 1 are wanted'),
    });
    connector.quota = async () => ({});
    const dear = await server.ask('POST', '/api/runs', { payload: { deployment, budget: { currency: 'EUR', perHour: 1 } } });
    expect(dear.statusCode).toBe(409);
    expect(dear.json()).toMatchObject({ code: 'PACELINE_OVER_BUDGET' });
    delete connector.quota;
    delete connector.offers;
  });

  it('is started once, however often the same request comes, and keeps no secret in its plan', async () => {
    const id = randomUUID();
    const payload = { id, deployment: await clientServer(), parameters: { license: 'gold' } };
    const [first, second] = [await server.ask('POST', '/api/runs', { payload }), await server.ask('POST', '/api/runs', { payload })];
    expect([first.statusCode, second.statusCode]).toEqual([201, 201]);
    expect(second.json<CreatedRun>().token).toBe(first.json<CreatedRun>().token);
    expect(second.json<CreatedRun>().run.id).toBe(id);
    const other = await server.ask('POST', '/api/runs', { payload: { ...payload, name: 'another' } });
    expect(other.json()).toMatchObject({ code: 'PACELINE_CONFLICT' });
    const rows = [
      ...(await server.world.database.all('SELECT * FROM runs WHERE id = ?', [id])),
      ...(await server.world.database.all('SELECT * FROM events WHERE run = ?', [id])),
      ...(await server.world.database.all('SELECT * FROM parameters WHERE run = ?', [id])),
    ];
    expect(JSON.stringify(rows)).not.toMatch(/gold|the license/);
    const shown = await server.ask('GET', `/api/runs/${id}/parameters/ss:license?reveal=true`);
    expect(shown.json()).toMatchObject({ value: 'gold' });
    await server.ask('DELETE', `/api/runs/${id}`);
  });

  it('that was started twice under one name is the newer one', async () => {
    await server.run({ name: 'twice' });
    const { id } = await server.run({ name: 'twice' });
    expect((await detail('twice')).id).toBe(id);
  });

  it.each([
    ['an unknown parameter', { parameters: { 'web:prt': '80' } }, 'PACELINE_REQUEST_INVALID', /Unknown parameter: prt/],
    ['a value that does not fit', { parameters: { 'web:port': 'many' } }, 'PACELINE_REQUEST_INVALID', /web:port must be a whole number/],
    ['an unknown cloud', { cloud: 'moon' }, 'PACELINE_CLOUD_UNKNOWN', /Unknown cloud: moon/],
    ['an unknown field', { colour: 'red' }, 'PACELINE_REQUEST_INVALID', /colour/],
    ['a wish for an image that everybody boots', { build: true }, 'PACELINE_REQUEST_INVALID', /build/],
    ['too many tags', { tags: Array.from({ length: 41 }, String) }, 'PACELINE_REQUEST_INVALID', /tags/],
  ])('is not started with %s', async (_what, request, code, message) => {
    const before = server.world.cloud.calls.length;
    const answer = await server.ask('POST', '/api/runs', { payload: { deployment: await clientServer(), ...request } });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code, detail: expect.stringMatching(message) });
    expect(server.world.cloud.calls.length).toBe(before);
  });

  it('is not started with more than 16 MiB', async () => {
    const deployment = { ...(await clientServer()), description: 'x'.repeat(16 * 1024 * 1024) };
    const answer = await server.ask('POST', '/api/runs', { payload: { deployment } });
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([413, 'PACELINE_TOO_LARGE']);
  });

  it('is aborted with a reason, of which the first one wins, and goes on when that is taken back', async () => {
    const run = await server.run();
    for (const reason of ['first', 'second']) {
      expect((await server.ask('POST', `/api/runs/${run.id}/abort`, { payload: { reason } })).statusCode).toBe(202);
    }
    expect((await detail(run.id)).abort).toMatchObject({ reason: 'first', source: 'ss:abort' });
    const back = await server.ask('DELETE', `/api/runs/${run.id}/abort`);
    expect(back.json<RunDetail>().abort).toBeNull();
    expect((await server.ask('POST', `/api/runs/${run.id}/abort`, { payload: { reason: '' } })).statusCode).toBe(400);
  });

  it('that has ended cannot be aborted', async () => {
    const run = await server.run();
    await server.ask('DELETE', `/api/runs/${run.id}`);
    await vi.waitFor(async () => expect((await detail(run.id)).state).toBe('Cancelled'));
    const late = await server.ask('POST', `/api/runs/${run.id}/abort`, { payload: { reason: 'late' } });
    expect([late.statusCode, late.json<{ code: string }>().code]).toEqual([417, 'PACELINE_RUN_ENDED']);
  });
});

describe('the list of runs', () => {
  it('has the newest first, in pages, and can leave out what has ended', async () => {
    const [one, two] = [await server.run({ name: 'one' }), await server.run({ name: 'two' })];
    const list = async (query: string): Promise<string[]> =>
      (await server.ask('GET', `/api/runs?${query}`)).json<{ runs: { id: string }[] }>().runs.map(({ id }) => id);
    expect((await list('limit=500')).slice(0, 2)).toEqual([two.id, one.id]);
    const all = await list('limit=500');
    expect(await list('limit=1&offset=1')).toEqual(all.slice(1, 2));
    await server.ask('DELETE', `/api/runs/${one.id}`);
    await vi.waitFor(async () => expect(await list('active=true&limit=500')).not.toContain(one.id));
    expect(await list('active=true&limit=500')).toContain(two.id);
  });

  it('has, when asked, only the runs of a tag, and only those that a text can mean', async () => {
    const tags = ['entity:component:default/shop', 'a "quote", and more', 'CI_1'];
    const [one, other] = [
      await server.run({ name: '50%_off', tags }),
      await server.run({ name: 'other', tags: ['quote', 'CIx1', ...tags.slice(0, 1)] }),
    ];
    const list = async (query: Record<string, string>): Promise<string[]> =>
      (await server.ask('GET', `/api/runs?${new URLSearchParams(query).toString()}`))
        .json<{ runs: { id: string }[] }>()
        .runs.map(({ id }) => id);
    expect(await list({ tag: 'entity:component:default/shop' })).toEqual([other.id, one.id]);
    expect(await list({ tag: 'entity:component:default/shop', limit: '1', offset: '1' })).toEqual([one.id]);
    for (const tag of tags.slice(1)) expect(await list({ tag })).toEqual([one.id]);
    expect(await list({ tag: 'quote' })).toEqual([other.id]);
    for (const tag of ['ci_1', 'entity', '"', 'a "quote"', '', '%']) expect(await list({ tag })).toEqual([]);
    expect(await list({ text: one.id.slice(0, 12).toUpperCase() })).toEqual([one.id]);
    expect(await list({ text: '50%_off' })).toEqual([one.id]);
    for (const text of ['%', '_', '50', '50%']) expect(await list({ text })).toEqual([]);
  });

  it.each(['limit=0', 'limit=501', 'offset=-1', 'active=maybe'])('refuses %s', async (query) => {
    expect((await server.ask('GET', `/api/runs?${query}`)).statusCode).toBe(400);
  });
});

describe('the server', () => {
  it('says that it is well, and to its operator what it is', async () => {
    expect((await server.ask('GET', '/api/health', { token: null })).json()).toEqual({ status: 'ok' });
    expect((await server.ask('GET', '/api/info')).json()).toEqual({ name: 'paceline', version: '1.2.3', clouds: ['test'] });
  });
});
