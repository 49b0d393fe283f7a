import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionState } from '@paceline/api';
import { oidcPolicy, openServer, StateDirectory, type RunningServer } from '@paceline/server';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientSecret, LoginProvider, type People } from '../support/login-provider.ts';
import { agentPath, repository } from '../support/system.ts';
import { browserPath, mistakesOf, openBrowser } from './browser.ts';

const slow = { timeout: 60_000 };

describe.skipIf(browserPath === undefined)('a login by OpenID Connect (needs Chromium: apt-get install chromium)', () => {
  let folder = '';
  let server: RunningServer;
  let provider: LoginProvider;
  let browser: Browser;
  let token = '';
  const people: People = {
    alice: { email: 'alice@example.org', email_verified: true, groups: ['shop', 'leads'] },
    bob: { email: 'backstage', email_verified: true, groups: ['shop'] },
    olga: { email: 'operator', email_verified: true, groups: ['shop'] },
    mallory: { email: 'alice@example.org', email_verified: false },
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paceline-login-'));
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    provider = await LoginProvider.start(`${url}/api/login/oidc/callback`, people);
    const state = await StateDirectory.open(join(folder, 'state'));
    token = await state.operatorToken();
    server = await openServer({
      state,
      host: '127.0.0.1',
      port,
      clouds: [],
      agentPath,
      dashboardPath: join(repository, 'packages/cli/dist/dashboard'),
      version: '0.0.0',
      logger: false,
      oidc: oidcPolicy.parse({
        issuer: provider.url,
        url,
        clientId: 'paceline',
        clientSecret,
        title: 'Log in with Example',
        user: 'email',
        roles: [
          { claim: 'groups', value: 'shop', project: 'shop', role: 'deployer' },
          { claim: 'groups', value: 'leads', project: 'lab', role: 'admin' },
        ],
      }),
    });
    browser = await openBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await provider?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const call = (method: string, path: string): Promise<Response> =>
    fetch(server.url + path, { method, headers: { authorization: `Bearer ${token}` } });
  const visit = async (): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await browser.newContext({ locale: 'en-GB' });
    const page = await context.newPage();
    await page.goto(server.url);
    return { context, page };
  };
  const logInAs = async (page: Page, name: string): Promise<void> => {
    await page.getByRole('link', { name: 'Log in with Example' }).click();
    await page.getByPlaceholder('Enter any login').fill(name);
    await page.getByPlaceholder('and password').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
  };
  const sessionOf = (page: Page): Promise<SessionState> =>
    page.evaluate(async () => (await fetch('/api/session')).json() as Promise<SessionState>);

  it('leads to the provider and back, and gives the roles that it stands for', slow, async () => {
    const { context, page } = await visit();
    await page.getByRole('link', { name: 'Log in with Example' }).waitFor();
    expect(await mistakesOf(page)).toEqual([]);
    await logInAs(page, 'alice');
    await page.getByRole('button', { name: 'Log out' }).waitFor();
    expect(await sessionOf(page)).toEqual({
      name: 'alice@example.org',
      grants: [
        { project: 'lab', role: 'admin' },
        { project: 'shop', role: 'deployer' },
      ],
    });
    // The provider is on the same host, and has cookies of its own.
    const cookies = (await context.cookies(server.url)).filter(({ name }) => name.startsWith('paceline-'));
    expect(cookies.map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite }))).toEqual([{ httpOnly: true, sameSite: 'Strict' }]);
    expect(await (await call('GET', '/api/audit?limit=1')).json()).toMatchObject({
      entries: [{ actor: 'alice@example.org', operation: 'loginByOidc' }],
    });
    await context.close();
  });

  it('takes the roles away that the provider does not stand for any more, and leaves those that admins gave', slow, async () => {
    await call('PUT', '/api/users/alice@example.org');
    await fetch(`${server.url}/api/users/alice@example.org/grants/other`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ role: 'viewer' }),
    });
    people['alice'] = { email: 'alice@example.org', email_verified: true, groups: ['shop'] };
    const { context, page } = await visit();
    await logInAs(page, 'alice');
    await page.getByRole('button', { name: 'Log out' }).waitFor();
    expect((await sessionOf(page)).grants).toEqual([
      { project: 'other', role: 'viewer' },
      { project: 'shop', role: 'deployer' },
    ]);
    await call('DELETE', '/api/users/alice@example.org');
    await page.reload();
    await page.getByLabel('Token').waitFor();
    await context.close();
  });

  it('does not take an address for somebody that the provider has not verified', slow, async () => {
    const { context, page } = await visit();
    await logInAs(page, 'mallory');
    await page.getByText('does not let you in').waitFor();
    expect(await page.getByLabel('Token').count()).toBe(1);
    await context.close();
  });

  it.each([
    ['bob', 'a user of this server'],
    ['olga', "whoever has the operator's token"],
  ])('takes %s, whom the provider gives the name of %s, for neither', slow, async (person) => {
    await call('PUT', '/api/users/backstage');
    const { context, page } = await visit();
    await logInAs(page, person);
    await page
      .getByText(/does not let you in|failed/i)
      .first()
      .waitFor();
    expect(await page.getByLabel('Token').count()).toBe(1);
    const { users } = (await (await call('GET', '/api/users')).json()) as { users: { name: string; grants: unknown[] }[] };
    expect(users.find(({ name }) => name === 'backstage')?.grants).toEqual([]);
    expect(users.some(({ name }) => name === 'operator')).toBe(false);
    await context.close();
  });

  it('is over when it is refused at the provider', slow, async () => {
    const { context, page } = await visit();
    await page.getByRole('link', { name: 'Log in with Example' }).click();
    await page.getByText('Cancel').click();
    await page.getByText('does not let you in').waitFor();
    expect(await mistakesOf(page)).toEqual([]);
    await context.close();
  });

  it('takes no answer that this browser has not asked for', slow, async () => {
    const callback = `${server.url}/api/login/oidc/callback?code=stolen&state=made-up&iss=${encodeURIComponent(provider.url)}`;
    const stranger = await fetch(callback, { redirect: 'manual' });
    expect(stranger.headers.get('location')).toBe('/login?failed=PACELINE_UNAUTHENTICATED');
    const begun = await fetch(`${server.url}/api/login/oidc`, { redirect: 'manual' });
    const cookie = begun.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const asked = new URL(begun.headers.get('location') ?? '');
    expect(asked.searchParams.get('code_challenge_method')).toBe('S256');
    const other = await fetch(callback, { redirect: 'manual', headers: { cookie } });
    expect(other.headers.get('location')).toBe('/login?failed=PACELINE_UNAUTHENTICATED');
    const forged = callback.replace('made-up', asked.searchParams.get('state') ?? '');
    expect((await fetch(forged, { redirect: 'manual', headers: { cookie } })).headers.get('location')).toBe(
      '/login?failed=PACELINE_UNAUTHENTICATED',
    );
  });
});

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  listener.close();
  if (address === null || typeof address === 'string') throw new Error('No port is free');
  return address.port;
}
