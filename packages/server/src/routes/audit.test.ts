import type { AuditEntry } from '@paceline/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AuditLog, auditKeptMs } from '../auth/audit-log.ts';
import { operatorToken, TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.open();
});
afterAll(() => server.close());

async function entries(query = ''): Promise<AuditEntry[]> {
  const answer = await server.ask('GET', `/api/audit${query}`);
  expect(answer.statusCode).toBe(200);
  return answer.json<{ entries: AuditEntry[] }>().entries;
}
const newest = async (): Promise<Partial<AuditEntry>> => {
  const [{ id: _id, at: _at, ...rest } = {} as AuditEntry] = await entries('?limit=1');
  return rest;
};

it('records who has asked for which change, of what, and how that was answered', async () => {
  const token = await server.person('alice', 'deployer', 'web');
  server.world.clock.pass(1);
  const run = await server.run({ project: 'web' }, token);
  expect(await newest()).toEqual({ actor: 'alice', operation: 'createRun', subject: run.id, status: 201 });
  server.world.clock.pass(1);
  await server.ask('DELETE', `/api/runs/${run.id.slice(0, 8)}`, { token });
  expect(await newest()).toEqual({ actor: 'alice', operation: 'terminateRun', subject: run.id, status: 202 });
  server.world.clock.pass(1);
  expect((await server.ask('PUT', '/api/users/bob', { token })).statusCode).toBe(403);
  expect(await newest()).toEqual({ actor: 'alice', operation: 'addUser', subject: 'bob', status: 403 });
  server.world.clock.pass(1);
  await server.ask('PUT', '/api/users/alice/grants/shop', { payload: { role: 'viewer' } });
  expect(await newest()).toEqual({ actor: 'operator', operation: 'grantRole', subject: 'alice shop', status: 200 });
});

it('records what somebody says another server has recorded already', async () => {
  server.world.clock.pass(1);
  await server.ask('PUT', '/api/users/forged', { headers: { 'x-paceline-forwarded': '1' } });
  expect(await newest()).toMatchObject({ operation: 'addUser', subject: 'forged' });
});

it('records no secret, no look, and nobody who has not logged in', async () => {
  const before = await entries();
  await server.ask('GET', '/api/runs');
  await server.ask('PUT', '/api/users/carol', { token: 'a guess' });
  await server.ask('PUT', '/api/users/carol', { token: null });
  expect(await entries()).toEqual(before);
  server.world.clock.pass(1);
  const made = await server.ask('POST', '/api/tokens', { payload: { title: 'a test', user: 'alice' } });
  const { id, token } = made.json<{ id: string; token: string }>();
  expect(await newest()).toMatchObject({ operation: 'createToken', subject: `${id} alice` });
  server.world.clock.pass(1);
  await server.ask('POST', '/api/session', { payload: { token: operatorToken }, headers: { 'x-paceline-csrf': '1' }, token: null });
  expect(await newest()).toMatchObject({ actor: 'operator', operation: 'beginSession', status: 201 });
  const stored = JSON.stringify(await server.world.database.all('SELECT * FROM audit', []));
  expect(stored).not.toContain(token);
  expect(stored).not.toContain(operatorToken);
});

it('is read page by page, also where many are of the same moment', async () => {
  for (let number = 0; number < 7; number++) await server.ask('PUT', `/api/users/user${number}`);
  const all = await entries();
  const pages: AuditEntry[] = [];
  for (let page = await entries('?limit=3'); page.length > 0; page = await entries(`?limit=3&before=${page.at(-1)?.id}`))
    pages.push(...page);
  expect(pages).toEqual(all);
  expect((await server.ask('GET', '/api/audit?before=1;2')).statusCode).toBe(400);
});

it('is kept for a year', async () => {
  let now = server.world.clock.now();
  const log = new AuditLog(server.world.database, () => now);
  const entry = { actor: 'alice', operation: 'addUser', subject: 'old', status: 200 };
  await log.add(entry);
  now += auditKeptMs - 1;
  await log.add({ ...entry, subject: 'new' });
  expect((await log.list(undefined, 500)).map(({ subject }) => subject)).toContain('old');
  now += 3_600_001;
  await log.add({ ...entry, subject: 'newest' });
  expect((await log.list(undefined, 500)).map(({ subject }) => subject)).toEqual(['newest', 'new']);
});
