import type { CreatedRun, RunList } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientServer, TestServer } from '../testing/test-server.ts';

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await TestServer.open();
  token = await server.person('backstage', 'deployer', 'web');
});
afterAll(() => server.close());

const as = (user: string, authorization = token) => ({ token: authorization, headers: { 'paceline-on-behalf-of': user } });

async function start(user: string): Promise<CreatedRun> {
  const answer = await server.ask('POST', '/api/runs', { ...as(user), payload: { deployment: await clientServer(), project: 'web' } });
  expect(answer.statusCode).toBe(201);
  return answer.json<CreatedRun>();
}

describe('a portal', () => {
  it('says for whom it asks, and both are in the record', async () => {
    const { run } = await start('user:default/alice');
    expect(run.createdBy).toBe('user:default/alice via backstage');
    await server.ask('DELETE', `/api/runs/${run.id}`, as('user:default/alice'));
    const { events } = (await server.ask('GET', `/api/runs/${run.id}/events`)).json<{ events: { message: string }[] }>();
    expect(events.map(({ message }) => message)).toContain('Created by user:default/alice via backstage');
    expect(JSON.stringify(events)).toContain('by user:default/alice via backstage');
  });

  it('lets nobody pass for another, neither of its users nor of the server', async () => {
    const { run } = await start('user:default/alice');
    expect((await server.ask('DELETE', `/api/runs/${run.id}`, as('user:default/bob'))).statusCode).toBe(403);
    const mallory = await server.person('mallory', 'deployer', 'web');
    expect((await server.ask('DELETE', `/api/runs/${run.id}`, as('user:default/alice via backstage', mallory))).statusCode).toBe(403);
    expect((await server.ask('DELETE', `/api/runs/${run.id}`, as('user:default/alice'))).statusCode).toBe(202);
  });

  it('may do no more than without a name', async () => {
    expect((await server.ask('GET', '/api/users', as('operator'))).statusCode).toBe(403);
    expect((await server.ask('GET', '/api/runs', as('operator'))).json<RunList>().runs.every(({ project }) => project === 'web')).toBe(
      true,
    );
    for (const name of ['', 'a\tb', 'x'.repeat(201)]) expect((await server.ask('GET', '/api/runs', as(name))).statusCode).toBe(400);
  });
});
