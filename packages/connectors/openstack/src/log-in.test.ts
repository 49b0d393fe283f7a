import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { isConnectorError } from '@paceline/engine/connector';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { findCredentials } from './credentials.ts';
import { logIn } from './log-in.ts';
import { Transport } from './transport.ts';

/** An OpenID provider and a Keystone that trusts it. Each token of one is worth one of the other. */
const seen: { path: string; body: string; authorization: string | undefined }[] = [];
const server = createServer((request, response) => {
  void answer(request).then(({ status = 200, headers = {}, body }) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  });
});
let url = '';

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body: unknown;
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const { url: path = '', headers } = request;
  const body = await text(request);
  const { authorization } = headers;
  seen.push({ path, body, authorization });
  switch (path) {
    case '/.well-known/openid-configuration':
      return { body: { token_endpoint: `${url}/token` } };
    case '/token':
      return tokenFor(new URLSearchParams(body), authorization);
    case '/v3/OS-FEDERATION/identity_providers/our%20idp/protocols/openid/auth': {
      const isKnown = ['Bearer access of robot', 'Bearer id of robot', 'Bearer access of jane', 'Bearer given'].includes(
        authorization ?? '',
      );
      if (!isKnown) return { status: 401, body: { error: { code: 401, message: 'The request you have made requires authentication.' } } };
      return { status: 201, headers: { 'x-subject-token': `unscoped ${authorization?.slice(7)}` }, body: { token: {} } };
    }
    case '/v3/auth/tokens':
      return scoped(JSON.parse(body) as ScopeRequest);
    default:
      return { status: 404, body: {} };
  }
}

function tokenFor(form: URLSearchParams, authorization: string | undefined): Answer {
  const isClient = authorization === `Basic ${Buffer.from('robot:s%26cret').toString('base64')}`;
  if (form.get('grant_type') === 'client_credentials' && isClient && form.get('scope') === 'openid cloud')
    return { body: { access_token: 'access of robot', id_token: 'id of robot' } };
  const isJane = form.get('username') === 'jane' && form.get('password') === 'pass' && form.get('client_id') === 'public';
  if (form.get('grant_type') === 'password' && isJane) return { body: { access_token: 'access of jane' } };
  return { status: 400, body: { error: 'invalid_grant' } };
}

interface ScopeRequest {
  auth: { identity: { methods: string[]; token?: { id: string } }; scope?: { project: { name: string } } };
}

function scoped({ auth: { identity, scope } }: ScopeRequest): Answer {
  const project = scope && { id: 'p1', name: scope.project.name };
  return {
    status: 201,
    headers: { 'x-subject-token': `scoped ${identity.token?.id}` },
    body: { token: { expires_at: '2030-01-01T00:00:00Z', ...(project && { project }) } },
  };
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function logInWith(type: string, auth: Record<string, string>) {
  const all = { auth_url: url, identity_provider: 'our idp', protocol: 'openid', project_name: 'ours', ...auth };
  const env = Object.fromEntries(Object.entries(all).map(([key, value]) => [`OS_${key.toUpperCase()}`, value]));
  const credentials = findCredentials(configSchema.parse({}), { ...env, OS_AUTH_TYPE: type });
  const transport = new Transport(undefined);
  seen.length = 0;
  try {
    return await logIn(credentials, transport, AbortSignal.timeout(10_000));
  } finally {
    await transport.close();
  }
}

const robot = { client_id: 'robot', client_secret: 's&cret', openid_scope: 'openid cloud' };

test('a client of an OpenID provider gets a token of its project', async () => {
  const { id, project } = await logInWith('v3oidcclientcredentials', { ...robot, access_token_endpoint: `${url}/token` });
  expect({ id, project }).toEqual({ id: 'scoped unscoped access of robot', project: { id: 'p1', name: 'ours' } });
  expect(seen.map(({ path }) => path)).toEqual([
    '/token',
    '/v3/OS-FEDERATION/identity_providers/our%20idp/protocols/openid/auth',
    '/v3/auth/tokens',
  ]);
  expect(JSON.parse(seen.at(-1)?.body ?? '')).toMatchObject({
    auth: { scope: { project: { name: 'ours', domain: { name: 'Default' } } } },
  });
});

test('the provider may be found by its discovery document, and Keystone may want the other token', async () => {
  const auth = { ...robot, discovery_endpoint: `${url}/.well-known/openid-configuration`, access_token_type: 'id_token' };
  expect((await logInWith('v3oidcclientcredentials', auth)).id).toBe('scoped unscoped id of robot');
});

test('a user of the provider logs in by a client without a secret', async () => {
  const auth = { client_id: 'public', username: 'jane', password: 'pass', access_token_endpoint: `${url}/token` };
  expect((await logInWith('v3oidcpassword', auth)).id).toBe('scoped unscoped access of jane');
  expect(seen[0]?.authorization).toBeUndefined();
});

test('a token that somebody has already is shown as it is', async () => {
  expect((await logInWith('v3oidcaccesstoken', { access_token: 'given' })).id).toBe('scoped unscoped given');
  expect(seen).toHaveLength(2);
});

test.each([
  ['the provider', 'v3oidcclientcredentials', { client_id: 'robot', client_secret: 'hunter2', access_token_endpoint: 'TOKEN' }],
  ['the provider', 'v3oidcpassword', { client_id: 'public', username: 'jane', password: 'hunter2', access_token_endpoint: 'TOKEN' }],
  ['Keystone', 'v3oidcaccesstoken', { access_token: 'hunter2' }],
])('what %s refuses is a matter of the credentials, and shows none of them: %s', async (_who, type, auth) => {
  const given = Object.fromEntries(Object.entries(auth).map(([key, value]) => [key, value === 'TOKEN' ? `${url}/token` : value]));
  const error: unknown = await logInWith(type, given).catch((thrown: unknown) => thrown);
  expect(isConnectorError(error) && error.code).toBe('auth');
  expect(String(error)).not.toContain('hunter2');
});
