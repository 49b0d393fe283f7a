import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Credentials } from './credentials.ts';
import { Session } from './session.ts';

/** A Keystone of one user: tokens are good for an hour, and lead to what is the user's default project by then. */
let project = { id: 'f00d', name: 'shop' };
let now = Date.now();
const regions = ['north', 'south'];
const server = createServer((_request, response) => {
  const endpoints = regions.map((region) => ({ interface: 'public', region, url: `http://127.0.0.1/${region}` }));
  const catalog = ['compute', 'image', 'network'].map((type) => ({ type, endpoints }));
  const token = { expires_at: new Date(now + 3_600_000).toISOString(), project, catalog };
  response.writeHead(201, { 'content-type': 'application/json', 'x-subject-token': 'token' });
  response.end(JSON.stringify({ token }));
});
const { signal } = new AbortController();
const sessions: Session[] = [];

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(async () => {
  for (const session of sessions) await session.close();
  server.close();
});

function sessionIn(region?: string): Session {
  const auth = {
    auth_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3`,
    username: 'robot',
    password: 'secret',
    access_token_type: 'access_token' as const,
    openid_scope: '',
  };
  const credentials: Credentials = { auth, method: 'password', interface: 'public', ...(region !== undefined && { region_name: region }) };
  const session = new Session(credentials, () => now);
  sessions.push(session);
  return session;
}

test('an account is a project in a region, whatever its name is', async () => {
  const session = sessionIn();
  expect(await session.account(signal)).toBe('openstack project f00d in north');
  expect(await sessionIn('south').account(signal)).toBe('openstack project f00d in south');
  project = { id: 'f00d', name: 'renamed' };
  now += 3_600_000;
  expect(await session.account(signal)).toBe('openstack project f00d in north');
});

test('with the next token it may be another', async () => {
  const session = sessionIn('north');
  expect(await session.account(signal)).toBe('openstack project f00d in north');
  project = { id: 'beef', name: 'lab' };
  expect(await session.account(signal)).toBe('openstack project f00d in north');
  now += 3_600_000;
  expect(await session.account(signal)).toBe('openstack project beef in north');
});
