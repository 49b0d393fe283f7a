import type { ModuleContent, ModuleView } from '@paceline/api';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clientServer, TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await TestServer.open();
});
afterEach(() => server.close());

it('publishes, lists, finds, copies, deprecates and deletes', async () => {
  const deployment = await clientServer();
  const publish = async (body: object): Promise<ModuleView> => {
    const answer = await server.ask('POST', '/api/modules', { payload: { deployment, ...body } });
    expect(answer.statusCode, answer.body).toBe(201);
    return answer.json();
  };
  const first = await publish({ name: 'shop/pair', comment: 'First', commit: 'abc' });
  expect(first).toMatchObject({
    name: 'shop/pair',
    version: 1,
    author: 'operator',
    comment: 'First',
    commit: 'abc',
    digest: deployment.digest,
  });
  expect(await publish({ name: 'shop/pair' })).toEqual(first);
  expect((await publish({ name: 'shop/pair', deployment: { ...deployment, timeoutMs: 1000 } })).version).toBe(2);

  const get = (reference: string) => server.ask('GET', `/api/modules/${encodeURIComponent(reference)}`);
  expect((await get('shop/pair@1')).json<ModuleContent>().deployment).toEqual(deployment);
  expect((await get(`shop/pair@sha256:${deployment.digest}`)).json<ModuleContent>().module.version).toBe(1);
  expect((await get('shop/pair')).json<ModuleContent>().module.version).toBe(2);
  expect((await get('shop/pair@9')).statusCode).toBe(404);
  expect((await get('shop pair')).statusCode).toBe(400);

  const one = `/api/modules/${encodeURIComponent('shop/pair@2')}`;
  expect((await server.ask('PUT', `${one}/deprecation`, { payload: { reason: 'slow' } })).json()).toMatchObject({ deprecated: 'slow' });
  expect((await server.ask('GET', '/api/modules')).json<{ modules: ModuleView[] }>().modules.map(({ version }) => version)).toEqual([1]);
  expect((await server.ask('POST', `${one}/copy`, { payload: { name: 'mine' } })).json()).toMatchObject({ name: 'mine', version: 1 });
  expect((await server.ask('DELETE', one)).statusCode).toBe(204);
  expect((await server.ask('GET', '/api/modules?name=shop/pair')).json<{ modules: ModuleView[] }>().modules).toEqual([first]);
  expect((await server.ask('DELETE', '/api/modules/mine')).json()).toMatchObject({ status: 400, detail: 'Say which version of mine' });
});

it('refuses what is no module, a version of its own, and names that are none', async () => {
  const deployment = await clientServer();
  for (const body of [{}, { deployment, name: 'x@3' }, { deployment, name: '../x' }, { deployment: { ...deployment, nodes: {} } }])
    expect((await server.ask('POST', '/api/modules', { payload: body })).statusCode).toBe(400);
});
