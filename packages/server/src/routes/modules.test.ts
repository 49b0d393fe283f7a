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

it('promotes a version to a channel, which is then one of its names', async () => {
  const deployment = await clientServer();
  for (const timeoutMs of [1000, 2000]) {
    const payload = { deployment: { ...deployment, timeoutMs }, name: 'shop/pair' };
    expect((await server.ask('POST', '/api/modules', { payload })).statusCode).toBe(201);
  }
  const channel = (reference: string, name = 'stable') => `/api/modules/${encodeURIComponent(reference)}/channels/${name}`;
  expect((await server.ask('PUT', channel('shop/pair@1'))).json()).toMatchObject({ version: 1, channels: ['stable'] });
  const found = await server.ask('GET', `/api/modules/${encodeURIComponent('shop/pair@stable')}`);
  expect(found.json<ModuleContent>()).toMatchObject({ module: { version: 1 }, deployment: { timeoutMs: 1000 } });
  expect((await server.ask('PUT', channel('shop/pair'))).statusCode).toBe(400);
  for (const name of ['3', 'Stable', 'a%20b', 'sha256'])
    expect((await server.ask('PUT', channel('shop/pair@1', name))).statusCode).toBe(400);
  expect((await server.ask('DELETE', '/api/modules/shop%2Fpair@1')).json()).toMatchObject({
    status: 409,
    hint: 'Promote another version, or end the channel: paceline modules shop/pair --demote stable',
  });
  expect((await server.ask('DELETE', channel('shop/pair'))).statusCode).toBe(204);
  expect((await server.ask('DELETE', channel('shop/pair'))).statusCode).toBe(404);
  expect((await server.ask('DELETE', '/api/modules/shop%2Fpair@1')).statusCode).toBe(204);
});

it('lets deployers publish under the names of their projects, and change what is theirs; operators change all of it', async () => {
  const deployment = await clientServer();
  const [ann, ben, olga, vera, job] = await Promise.all([
    server.person('ann', 'deployer', 'shop'),
    server.person('ben', 'deployer', 'shop'),
    server.person('olga', 'operator', 'shop'),
    server.person('vera', 'viewer', 'shop'),
    server.person('job', 'deployer', 'acme/site'),
  ]);
  const publish = async (token: string, name: string) => {
    const answer = await server.ask('POST', '/api/modules', { token, payload: { deployment, name } });
    const { version, hint } = answer.json<{ version?: number; hint?: string }>();
    return version ?? `${answer.statusCode} ${hint}`;
  };
  const change = async (token: string, reference: string, reason: string | null = 'old') => {
    const url = `/api/modules/${encodeURIComponent(reference)}/deprecation`;
    return (await server.ask('PUT', url, { token, payload: { reason } })).statusCode;
  };
  const remove = async (token: string, reference: string) =>
    (await server.ask('DELETE', `/api/modules/${encodeURIComponent(reference)}`, { token })).statusCode;

  expect(await publish(ann, 'shop/web')).toBe(1);
  expect(await publish(ann, 'shop')).toBe(1);
  expect(await publish(job, 'acme/site/web')).toBe(1);
  expect(await publish(ann, 'web')).toBe('403 Publish it under a name of your project, such as shop/web.');
  expect(await publish(ann, 'shopping/web')).toContain('403');
  expect(await publish(job, 'acme/web')).toContain('403');
  expect(await publish(vera, 'shop/web')).toBe('403 That takes a deployer of the project that the name begins with.');
  const copy = (token: string, name: string) => server.ask('POST', '/api/modules/shop%2Fweb@1/copy', { token, payload: { name } });
  expect((await copy(job, 'shop/copy')).statusCode).toBe(403);
  expect((await copy(job, 'acme/site/copy')).statusCode).toBe(201);

  expect([await change(vera, 'shop/web@1'), await change(ben, 'shop/web@1'), await change(job, 'shop/web@1')]).toEqual([403, 403, 403]);
  expect([await change(ann, 'shop/web@1'), await change(olga, 'shop/web@1', null)]).toEqual([200, 200]);
  expect([await remove(ben, 'shop/web@1'), await remove(olga, 'acme/site/web@1')]).toEqual([403, 403]);
  expect([await remove(olga, 'shop/web@1'), await remove(ann, 'shop@1'), await remove(job, 'acme/site/web@1')]).toEqual([204, 204, 204]);
});
