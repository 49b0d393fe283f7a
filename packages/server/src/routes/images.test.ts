import type { BuildAnswer, ImageView } from '@paceline/api';
import { buildDigest, loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestServer } from '../testing/test-server.ts';

let server: TestServer;
let deployment: ResolvedDeployment;
beforeEach(async () => {
  server = await TestServer.open();
  server.world.cloud.connector.createImage = async (_id, image) => ({ image, id: image });
  server.world.cloud.connector.remove = async () => {};
  const head = 'apiVersion: paceline.dev/v1\nkind: Image\nmetadata: { name: base }\n';
  const fs = memoryFiles({ '/p/image.yaml': `${head}spec: { packages: [curl] }\n` });
  ({ deployment } = await loadModule('/p', { fs }));
});
afterEach(() => server.close());

async function store(project: string, image: string, digest: string): Promise<void> {
  const about = { module: 'base', resource: image, login: null, account: null, run: 'none', madeAt: 1, usedAt: 1, pinned: false };
  await server.engine.store.images.put({ project, cloud: 'test', digest, recipe: digest, image, ...about, lostAt: null });
}

async function seenBy(token: string): Promise<string[]> {
  const { images } = (await server.ask('GET', '/api/images', { token })).json<{ images: ImageView[] }>();
  return images.map(({ image, changeable }) => (changeable ? `${image} (mine)` : image)).toSorted();
}

it('shows everybody’s images to all, and those of a project to who has a role in it', async () => {
  await store('*', 'common', 'a');
  await store('shop', 'of-shop', 'b');
  await store('lab', 'of-lab', 'c');
  expect(await seenBy(await server.person('vera', 'viewer', 'shop'))).toEqual(['common', 'of-shop']);
  expect(await seenBy(await server.person('olga', 'operator', 'shop'))).toEqual(['common', 'of-shop (mine)']);
  expect(await seenBy(await server.person('root', 'operator', '*'))).toEqual(['common (mine)', 'of-lab (mine)', 'of-shop (mine)']);
});

it('lets operators of a project change its images, and nobody else but operators of the server', async () => {
  await store('*', 'common', 'a');
  await store('shop', 'of-shop', 'b');
  const [vera, dora, olga, other] = await Promise.all([
    server.person('vera', 'viewer', 'shop'),
    server.person('dora', 'deployer', 'shop'),
    server.person('olga', 'operator', 'shop'),
    server.person('otto', 'operator', 'lab'),
  ]);
  const pin = async (token: string, image: string): Promise<number> =>
    (await server.ask('PUT', `/api/images/${image}`, { token, payload: { pinned: false } })).statusCode;
  expect([await pin(vera, 'of-shop'), await pin(dora, 'of-shop'), await pin(other, 'of-shop')]).toEqual([403, 403, 404]);
  expect([await pin(olga, 'of-shop'), await pin(olga, 'common')]).toEqual([200, 403]);
  const remove = async (token: string, image: string): Promise<number> =>
    (await server.ask('DELETE', `/api/images/${image}`, { token })).statusCode;
  expect([await remove(dora, 'of-shop'), await remove(olga, 'common'), await remove(olga, 'of-shop')]).toEqual([403, 403, 204]);
});

it('builds for the project that the asker operates, and for everybody only at the request of the server’s operators', async () => {
  const [dora, olga, both] = await Promise.all([
    server.person('dora', 'deployer', 'shop'),
    server.person('olga', 'operator', 'shop'),
    server.person('both', 'operator', 'shop'),
  ]);
  await server.accounts.grant('both', 'lab', 'operator');
  const build = async (token: string | undefined, project?: string): Promise<string | number> => {
    const payload = { deployment, ...(project === undefined ? {} : { project }) };
    const answer = await server.ask('POST', '/api/images', { ...(token === undefined ? {} : { token }), payload });
    const { run, joined } = answer.json<BuildAnswer>();
    return answer.statusCode === 202 ? `${run?.project}${joined ? ', joined' : ''}` : answer.statusCode;
  };
  expect([await build(dora), await build(dora, 'shop'), await build(olga, '*'), await build(olga, 'lab')]).toEqual([403, 403, 403, 403]);
  expect([await build(both), await build(both, 'lab')]).toEqual([400, 'lab']);
  expect([await build(olga), await build(undefined), await build(undefined, 'shop')]).toEqual(['shop', '*', 'shop, joined']);
});

it('promotes with an image only modules that the asker may promote', async () => {
  const olga = await server.person('olga', 'operator', 'shop');
  const publish = (name: string) => server.ask('POST', '/api/modules', { payload: { deployment, name } });
  expect((await publish('lab/base')).statusCode).toBe(201);
  const image = deployment.nodes['machine']?.image;
  await store('shop', 'of-shop', image === undefined ? '' : buildDigest(image, 1, ''));
  const promote = () => server.ask('PUT', '/api/images/of-shop/channels/stable', { token: olga });
  expect((await promote()).json()).toMatchObject({ status: 409, detail: 'of-shop is of no published module that you may promote' });
  expect((await publish('shop/base')).statusCode).toBe(201);
  expect((await promote()).json()).toMatchObject({ name: 'shop/base', version: 1, channels: ['stable'] });
  expect((await server.ask('DELETE', '/api/images/of-shop', { token: olga })).json()).toMatchObject({ status: 409 });
});
