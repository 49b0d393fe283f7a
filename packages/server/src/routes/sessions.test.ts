import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { GitHubLogin } from '../auth/github-login.ts';
import { githubPolicy } from '../auth/github-policy.ts';
import { Sessions } from '../auth/sessions.ts';
import { GitHubIssuer } from '../testing/github-issuer.ts';
import { clientServer, TestServer } from '../testing/test-server.ts';

const audience = 'https://paceline.example.org';
const serverKey = Buffer.alloc(32, 7);

let issuer: GitHubIssuer;
let server: TestServer;
beforeAll(async () => {
  issuer = await GitHubIssuer.open();
  const allow = [{ repository: 'octo/ops', role: 'operator' }, { owner: 'octo' }];
  const github = new GitHubLogin(githubPolicy.parse({ issuer: issuer.url, audience, allow }));
  server = await TestServer.open({ logins: { github, sessions: new Sessions(serverKey) } });
});
afterAll(async () => {
  await server.close();
  await issuer.close();
});

const login = async (claims: Record<string, unknown> = {}) => exchange(await issuer.token(audience, claims));
const exchange = (token: string) => server.ask('POST', '/api/sessions', { token: null, payload: { token } });
const sessionOf = async (claims: Record<string, unknown> = {}): Promise<string> => (await login(claims)).json<{ token: string }>().token;

describe('a job of GitHub', () => {
  it('exchanges its token for one that is good for an hour', async () => {
    const answer = await login();
    expect(answer.statusCode).toBe(201);
    expect(answer.json()).toMatchObject({ token: expect.stringMatching(/^pls_/), name: 'github:octo/app (456789)', role: 'deployer' });
    const left = Date.parse(answer.json<{ expiresAt: string }>().expiresAt) - Date.now();
    expect(left).toBeGreaterThan(59 * 60_000);
    expect(left).toBeLessThanOrEqual(60 * 60_000);
  });

  it.each([
    ['another issuer', async () => (await GitHubIssuer.open()).token(audience)],
    ['another audience', () => issuer.token('https://elsewhere.example.org')],
    ['yesterday', () => issuer.token(audience, {}, -3600)],
    ['nobody', async () => `${(await issuer.token(audience)).split('.').slice(0, 2).join('.')}.`],
    ['its own making', async () => forged(await issuer.token(audience))],
    ['the wrong shape', async () => 'a.b.c'],
    ['a stranger to GitHub', () => issuer.token(audience, { repository_id: 5 })],
  ])('is not let in with a token of %s', async (_what, make) => {
    const answer = await exchange(await make());
    expect(answer.json()).toMatchObject({ status: 401, code: 'PACELINE_UNAUTHENTICATED' });
  });

  it('that no rule lets in is told what it is', async () => {
    const answer = await login({ repository: 'evil/app', repository_owner: 'evil' });
    expect(answer.json()).toMatchObject({
      code: 'PACELINE_FORBIDDEN',
      detail: 'No rule of this server lets this job in: repository evil/app (456789), ref refs/heads/main, event push, environment (none)',
    });
  });

  it('is let in with new keys of GitHub, and told to come back when they cannot be had', async () => {
    await login();
    const own = await GitHubIssuer.open();
    const policy = githubPolicy.parse({ issuer: own.url, audience, allow: [{ owner: 'octo' }] });
    const fresh = new GitHubLogin(policy);
    const token = await own.token(audience);
    await own.rotate('two');
    // The keys are fetched when they are first needed.
    await expect(fresh.login(token)).rejects.toMatchObject({ code: 'PACELINE_UNAUTHENTICATED' });
    await expect(new GitHubLogin(policy).login(await own.token(audience))).resolves.toMatchObject({ role: 'deployer' });
    await own.close();
    await expect(new GitHubLogin(policy).login(token)).rejects.toMatchObject({ code: 'PACELINE_UNREACHABLE' });
  });

  it('is let in by no server that was not told to', async () => {
    const closed = await TestServer.open();
    const token = await issuer.token(audience);
    expect((await closed.ask('POST', '/api/sessions', { token: null, payload: { token } })).json()).toMatchObject({
      code: 'PACELINE_FORBIDDEN',
    });
    expect((await closed.ask('GET', '/api/info', { token: await sessionOf() })).statusCode).toBe(401);
    await closed.close();
  });
});

describe('a deployer', () => {
  let mine: string;
  let token: string;
  beforeEach(async () => {
    token = await sessionOf();
    const answer = await server.ask('POST', '/api/runs', { token, payload: { deployment: await clientServer() } });
    expect(answer.statusCode).toBe(201);
    mine = answer.json<{ run: { id: string } }>().run.id;
  });

  it('starts runs and does with these as it likes', async () => {
    const found = await server.ask('GET', `/api/runs/${mine}`, { token });
    expect(found.json()).toMatchObject({ id: mine, createdBy: 'github:octo/app (456789)' });
    expect((await server.ask('GET', '/api/info', { token })).statusCode).toBe(200);
    expect((await server.ask('DELETE', `/api/runs/${mine}`, { token })).statusCode).toBe(202);
    await vi.waitFor(async () =>
      expect((await server.ask('GET', `/api/runs/${mine}`, { token })).json()).toMatchObject({ state: 'Cancelled' }),
    );
    const reaped = await server.ask('POST', '/api/reap', { token, payload: { remove: true, runs: [mine] } });
    expect(reaped.json()).toMatchObject({ orphans: [], failures: [] });
  });

  it('neither sees nor touches what is not its own', async () => {
    const { id } = await server.run();
    const theirs = await sessionOf({ repository: 'octo/other', repository_id: '9' });
    const ask = async (method: 'GET' | 'DELETE' | 'POST', url: string, as: string, payload?: object): Promise<number> =>
      (await server.ask(method, url, { token: as, ...(payload === undefined ? {} : { payload }) })).statusCode;
    expect(await ask('GET', `/api/runs/${id}`, token)).toBe(404);
    expect(await ask('DELETE', `/api/runs/${id}`, token)).toBe(404);
    expect(await ask('GET', `/api/runs/${mine}/logs`, theirs)).toBe(404);
    expect(await ask('GET', `/run/${mine}/ss:state`, theirs)).toBe(404);
    expect(await ask('GET', `/api/runs/${id.slice(0, 8)}`, token)).toBe(404);
    const seen = (await server.ask('GET', '/api/runs', { token })).json<{ runs: { id: string; project: string }[] }>().runs;
    expect(seen.map((run) => run.id)).toContain(mine);
    expect(new Set(seen.map((run) => run.project))).toEqual(new Set(['github:octo/app (456789)']));
    expect(await ask('POST', '/api/reap', token, {})).toBe(403);
    expect(await ask('POST', '/api/reap', theirs, { remove: true, runs: [mine] })).toBe(404);
  });
});

describe('a session', () => {
  it('of an operator opens everything', async () => {
    const token = await sessionOf({ repository: 'octo/ops' });
    expect((await server.ask('GET', '/api/runs', { token })).statusCode).toBe(200);
  });

  it('ends, and is worth nothing to another server', async () => {
    let now = 1_800_000_000_000;
    const sessions = new Sessions(serverKey, () => now);
    const { token, expiresAt } = await sessions.open({ name: 'x', role: 'deployer' }, 60_000);
    expect(expiresAt).toBe(now + 60_000);
    expect(await sessions.find(token)).toEqual({ name: 'x', role: 'deployer' });
    expect(await new Sessions(Buffer.alloc(32, 8), () => now).find(token)).toBeUndefined();
    now += 61_000;
    await expect(sessions.find(token)).rejects.toMatchObject({ code: 'PACELINE_UNAUTHENTICATED', message: 'The session is over' });
  });
});

/** The same token with another role for itself: signed by nobody, or with the public text of a key. */
function forged(token: string): string {
  const [, body = ''] = token.split('.');
  const head = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
  return `${head}.${body}.`;
}
