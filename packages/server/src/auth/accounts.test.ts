import type { CreatedToken, TokenView } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { clientServer, operatorToken, TestServer } from '../testing/test-server.ts';

const page = { 'x-paceline-csrf': '1' };

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open();
});
afterAll(() => server.close());

const status = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, token: string, payload?: object): Promise<number> =>
  (await server.ask(method, url, { token, ...(payload === undefined ? {} : { payload }) })).statusCode;

describe('a login provider', () => {
  const issuer = 'https://id.example.org';
  const enrol = (name: string, by = issuer): Promise<void> =>
    server.accounts.enrol(name, new Map([['web', 'viewer']]), new Set(['web']), by);

  it('brings back its own users, and passes none of them for one that somebody else has added', async () => {
    await enrol('erika');
    await enrol('erika');
    expect(await server.accounts.enrolled('erika', issuer)).toMatchObject({ name: 'erika' });
    await server.ask('PUT', '/api/users/portal');
    await expect(enrol('portal')).rejects.toMatchObject({ code: 'PACELINE_FORBIDDEN' });
    await expect(enrol('erika', 'https://other.example.org')).rejects.toMatchObject({ code: 'PACELINE_FORBIDDEN' });
    await expect(enrol('operator')).rejects.toMatchObject({ code: 'PACELINE_REQUEST_INVALID' });
    expect((await server.accounts.user('portal')).grants).toEqual([]);
  });

  it('stands for nobody who was removed, even when another one has the name now', async () => {
    await enrol('felix');
    await server.ask('DELETE', '/api/users/felix');
    await server.ask('PUT', '/api/users/felix');
    expect(await server.accounts.enrolled('felix', issuer)).toBeUndefined();
  });
});

describe('a personal token', () => {
  it('is forgotten a month after its time', async () => {
    const { clock } = server.world;
    const day = 24 * 3_600_000;
    await server.ask('PUT', '/api/users/gwen');
    const add = async (expiresAt: number): Promise<string> => (await server.accounts.createToken(tokenOf(expiresAt), 'a test')).id;
    const tokenOf = (expiresAt: number) => ({ title: 'short', user: 'gwen', expiresAt, role: null, project: null });
    const ids = async (): Promise<string[]> => (await server.accounts.tokens('gwen')).map(({ id }) => id);
    const recent = await add(clock.now() - 29 * day);
    const old = await add(clock.now() - 31 * day);
    expect(await ids()).toEqual(expect.arrayContaining([recent, old]));
    const next = await add(clock.now() + day);
    expect((await ids()).toSorted()).toEqual([recent, next].toSorted());
  });

  it('is shown once, and is its user from then on', async () => {
    await server.ask('PUT', '/api/users/alice');
    await server.ask('PUT', '/api/users/alice/grants/web', { payload: { role: 'deployer' } });
    const made = await server.ask('POST', '/api/tokens', { payload: { title: 'laptop', user: 'alice' } });
    const { token, id } = made.json<CreatedToken>();
    expect(token).toMatch(/^plt_[0-9a-f]{16}_[\w-]{32}$/);
    expect((await server.ask('GET', '/api/session', { token })).json()).toEqual({
      name: 'alice',
      grants: [{ project: 'web', role: 'deployer' }],
    });
    const listed = await server.ask('GET', '/api/tokens', { token });
    expect(listed.json()).toMatchObject({ tokens: [{ id, title: 'laptop', createdBy: 'operator', expiresAt: null }] });
    const stored = await server.world.database.all('SELECT * FROM tokens', []);
    expect(JSON.stringify(stored)).not.toContain(token.slice(`plt_${id}_`.length));
  });

  it('is worth nothing once it is revoked, or its user is gone', async () => {
    const token = await server.person('bob', 'viewer', '*');
    const [{ id } = { id: '' }] = await server.accounts.tokens('bob');
    expect(await status('GET', '/api/runs', token)).toBe(200);
    expect(await status('DELETE', `/api/tokens/${id}`, token)).toBe(204);
    expect(await status('GET', '/api/runs', token)).toBe(401);
    const other = await server.person('bob', 'viewer', '*');
    expect(await status('DELETE', '/api/users/bob', operatorToken)).toBe(204);
    expect(await status('GET', '/api/runs', other)).toBe(401);
  });

  it('is worth nothing with another secret', async () => {
    const token = await server.person('carol', 'viewer', '*');
    const [, id] = token.split('_');
    expect(await status('GET', '/api/runs', `plt_${id}_${'x'.repeat(32)}`)).toBe(401);
    expect(await status('GET', '/api/runs', `plt_${id}_`)).toBe(401);
  });

  it('ends at its time', async () => {
    const token = await server.person('dave', 'viewer', '*', { expiresAt: server.world.clock.now() + 1000 });
    expect(await status('GET', '/api/runs', token)).toBe(200);
    server.world.clock.pass(1000);
    const late = await server.ask('GET', '/api/runs', { token });
    expect(late.json()).toMatchObject({ code: 'PACELINE_UNAUTHENTICATED', detail: 'The time of this token is over' });
  });

  it('that is allowed less than its user sees and revokes itself alone', async () => {
    const whole = await server.person('judy', 'deployer', 'web');
    const lesser = await server.person('judy', 'deployer', 'web', { role: 'viewer', project: 'web' });
    const own = lesser.split('_')[1];
    const [{ id } = { id: '' }] = (await server.accounts.tokens('judy')).filter((token) => token.id !== own);
    const listed = async (token: string): Promise<string[]> =>
      (await server.ask('GET', '/api/tokens', { token })).json<{ tokens: TokenView[] }>().tokens.map((one) => one.id);
    expect(await listed(lesser)).toEqual([own]);
    expect(new Set(await listed(whole))).toEqual(new Set([id, own]));
    expect(await status('DELETE', `/api/tokens/${id}`, lesser)).toBe(404);
    expect(await status('DELETE', `/api/tokens/${own}`, lesser)).toBe(204);
    expect(await listed(whole)).toEqual([id]);
  });

  it('is of nobody who passes for the holder of the operator’s token', async () => {
    const refused = await server.ask('PUT', '/api/users/operator');
    expect([refused.statusCode, refused.json()]).toMatchObject([400, { code: 'PACELINE_REQUEST_INVALID' }]);
    expect((await server.accounts.users()).map(({ name }) => name)).not.toContain('operator');
  });

  it('makes none that may do more than itself, or lasts longer', async () => {
    const bounded = await server.person('erin', 'admin', '*', { role: 'viewer' });
    expect(await status('POST', '/api/tokens', bounded, { title: 'more' })).toBe(403);
    expect(await status('PUT', '/api/users/mallory', bounded)).toBe(403);
    const soon = server.world.clock.now() + 60_000;
    const short = await server.person('erin', 'admin', '*', { expiresAt: soon });
    expect(await status('POST', '/api/tokens', short, { title: 'for ever' })).toBe(403);
    const iso = (ms: number): string => new Date(ms).toISOString();
    expect(await status('POST', '/api/tokens', short, { title: 'longer', expiresAt: iso(soon + 1) })).toBe(403);
    expect(await status('POST', '/api/tokens', short, { title: 'as long', expiresAt: iso(soon) })).toBe(201);
  });
});

describe('a run', () => {
  const begin = async (token: string, more: object = {}) =>
    server.ask('POST', '/api/runs', { token, payload: { deployment: await clientServer(), ...more } });

  it('belongs to the one project that its starter deploys in, or the one that is named', async () => {
    const one = await server.person('fay', 'deployer', 'web');
    expect((await begin(one)).json()).toMatchObject({ run: { project: 'web', createdBy: 'fay' } });
    expect((await begin(one, { project: 'lab' })).statusCode).toBe(403);
    const two = await server.person('fay', 'deployer', 'lab');
    expect((await begin(two)).json()).toMatchObject({ code: 'PACELINE_REQUEST_INVALID' });
    expect((await begin(two, { project: 'lab' })).json()).toMatchObject({ run: { project: 'lab' } });
    expect((await begin(operatorToken)).json()).toMatchObject({ run: { project: 'default' } });
    expect((await begin(await server.person('gus', 'viewer', '*'))).statusCode).toBe(403);
  });

  it('is listed, and found by its name, for those who may see it', async () => {
    const insider = await server.person('hal', 'viewer', 'shop');
    const outsider = await server.person('ida', 'admin', 'lab');
    const { id } = await server.run({ name: 'sale', project: 'shop' });
    const listed = async (token: string) =>
      (await server.ask('GET', '/api/runs', { token })).json<{ runs: { id: string }[] }>().runs.map((run) => run.id);
    expect(await listed(insider)).toEqual([id]);
    expect(await listed(outsider)).not.toContain(id);
    expect(await status('GET', '/api/runs/sale', insider)).toBe(200);
    expect(await status('GET', '/api/runs/sale', outsider)).toBe(404);
    expect((await server.ask('GET', '/api/usage', { token: insider })).json()).toMatchObject({
      clouds: [{ name: 'test', runs: 1, machines: 2 }],
      projects: [{ project: 'shop', runs: 1, machines: 2 }],
    });
  });

  it('is looked for, on other replicas too, among those that may be seen', async () => {
    const olga = await server.person('olga', 'deployer', 'north');
    const peter = await server.person('peter', 'deployer', 'south');
    const own = await server.run({ name: 'twice', project: 'north' }, olga);
    await server.run({ name: 'twice', project: 'south' }, peter);
    const asked = vi.spyOn(server.engine, 'ownerUrl');
    expect((await server.ask('GET', '/api/runs/twice', { token: olga })).json()).toMatchObject({ id: own.id });
    expect(asked.mock.calls).toEqual([[own.id]]);
    asked.mockRestore();
  });

  it('shows its secrets only to those who may change it', async () => {
    const { id } = await server.run({ project: 'shop' });
    const viewer = await server.person('jo', 'viewer', 'shop');
    const url = `/api/runs/${id}/parameters/ss:license`;
    expect((await server.ask('GET', url, { token: viewer })).json()).toMatchObject({ value: '***' });
    expect(await status('GET', `${url}?reveal=true`, viewer)).toBe(403);
  });

  it('records who has done what with it', async () => {
    const kim = await server.person('kim', 'operator', 'shop');
    const { id } = await server.run({ project: 'shop' });
    await server.ask('PUT', `/api/runs/${id}/parameters/client.1:note`, { token: kim, payload: { value: 'hello' } });
    await server.ask('POST', `/api/runs/${id}/abort`, { token: kim, payload: { reason: 'wrong data' } });
    await server.ask('DELETE', `/api/runs/${id}/abort`, { token: kim });
    await server.ask('DELETE', `/api/runs/${id}`, { token: kim });
    const { events } = (await server.ask('GET', `/api/runs/${id}/events`)).json<{ events: { type: string; data: { by?: string } }[] }>();
    expect(events.filter(({ data }) => data.by === 'kim').map(({ type }) => type)).toEqual([
      'parameter.set',
      'run.abort',
      'run.abort-cancelled',
      'run.ending',
    ]);
  });
});

describe('a browser', () => {
  const login = (token: string, headers: Record<string, string> = page) =>
    server.ask('POST', '/api/session', { token: null, headers, payload: { token } });
  const cookieOf = (answer: Awaited<ReturnType<typeof login>>): string => String(answer.headers['set-cookie']).split(';')[0] ?? '';
  const ask = async (method: 'GET' | 'PUT' | 'DELETE', url: string, cookie: string, headers: Record<string, string> = {}) =>
    (await server.ask(method, url, { token: null, headers: { cookie, ...headers } })).statusCode;

  it('is given a cookie that scripts cannot read and other sites cannot send', async () => {
    const answer = await login(operatorToken);
    expect(answer.json()).toEqual({ name: 'operator', grants: [{ project: '*', role: 'admin' }] });
    expect(answer.headers['set-cookie']).toMatch(/^paceline-[0-9a-f]{8}=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(answer.headers['set-cookie']).not.toContain(operatorToken);
    expect(await ask('GET', '/api/runs', cookieOf(answer))).toBe(200);
  });

  it('changes nothing for other sites', async () => {
    const cookie = cookieOf(await login(operatorToken));
    expect(await ask('PUT', '/api/users/eve', cookie)).toBe(403);
    expect(await ask('PUT', '/api/users/eve', cookie, { ...page, 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await ask('PUT', '/api/users/eve', cookie, { ...page, 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect((await login(operatorToken, {})).statusCode).toBe(403);
  });

  it('is logged out with the token that it came with, when its cookie is another, or when it asks', async () => {
    const token = await server.person('lou', 'viewer', '*');
    const cookie = cookieOf(await login(token));
    expect(await ask('GET', '/api/session', cookie)).toBe(200);
    expect(await ask('GET', '/api/session', `${cookie}x`)).toBe(401);
    const left = await server.ask('DELETE', '/api/session', { token: null, headers: { cookie, ...page } });
    expect(left.headers['set-cookie']).toMatch(/^paceline-[0-9a-f]{8}=; .*Expires=Thu, 01 Jan 1970/);
    const [{ id } = { id: '' }] = await server.accounts.tokens('lou');
    await server.accounts.revokeToken(id);
    expect(await ask('GET', '/api/session', cookie)).toBe(401);
  });

  it('is not let in with a wrong token, or that of a run', async () => {
    const { token } = await server.run();
    expect((await login('guess')).statusCode).toBe(401);
    expect((await login(token)).statusCode).toBe(401);
  });
});
