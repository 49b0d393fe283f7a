import { diskFiles, loadModule, type ResolvedDeployment } from '@paceline/model';
import { mockCredentials, type TestBackend } from '@backstage/backend-test-utils';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository, System } from '../../test/support/system.ts';
import { createRouter } from '../backend/src/gateway/router.ts';
import { backendOver, type Decide } from './backend-over.ts';

const [look, create, read, update, scale, terminate, build] = [
  'look',
  'run.create',
  'run.read',
  'run.update',
  'run.scale',
  'run.terminate',
  'image.build',
].map((name) => `paceline.${name}`) as [string, string, string, string, string, string, string];

/** What each route takes, beside a login. What is about a run takes `paceline.run.read` for it as well. */
const table: Record<string, string | undefined> = {
  'get /api/runs': undefined,
  'post /api/runs': create,
  'get /api/info': look,
  'get /api/usage': look,
  'get /api/clouds': look,
  'get /api/modules': look,
  'get /api/modules/:module': look,
  'get /api/images': look,
  'post /api/images': build,
  'get /rights/:run': read,
  'get /api/runs/:run': read,
  'delete /api/runs/:run/abort': update,
  'post /api/runs/:run/scale': scale,
  'get /api/runs/:run/parameters': read,
  'get /api/runs/:run/parameters/:key': read,
  'get /api/runs/:run/parameters/:key?reveal=true': update,
  'get /api/runs/:run/parameters/:key?reveal=1': update,
  'put /api/runs/:run/parameters/:key': update,
  'delete /api/runs/:run/parameters/:key': update,
  'get /api/runs/:run/events': read,
  'get /api/runs/:run/logs': read,
  'get /api/runs/:run/reports': read,
  'get /api/runs/:run/reports/:name': read,
  'get /api/runs/:run/instances/:instance/console': read,
  'post /api/runs/:run/instances/:instance/way-in': update,
  'post /api/runs/:run/abort': terminate,
  'delete /api/runs/:run': terminate,
};

/** `only.A_B` may do A and B, `without.A` everything else. */
const decide: Decide = (user, { name }) => {
  const [, kind, names = ''] = /^user:default\/(only|without)\.(.*)$/.exec(user) ?? [];
  const isNamed = names.split('_').includes(name);
  return { result: (kind === 'only') === isNamed ? AuthorizeResult.ALLOW : AuthorizeResult.DENY };
};

let system: System;
let backend: TestBackend;
let example: ResolvedDeployment;
beforeAll(async () => {
  system = await System.start();
  example = (await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository })).deployment;
  backend = await backendOver(system, { decide });
});
afterAll(async () => {
  await backend?.stop();
  await system?.close();
});

/** @param user undefined is nobody @returns the status of the answer */
async function ask(route: string, run: string, user: string | undefined): Promise<number> {
  const [method = '', path = ''] = route.split(' ');
  const names: Record<string, string> = { run, key: 'ss:license', module: 'none', name: 'none', instance: 'web.1' };
  const address = path.replaceAll(/:(\w+)/g, (_match, name: string) => encodeURIComponent(names[name] ?? ''));
  const authorization = user === undefined ? mockCredentials.none.header() : mockCredentials.user.header(`user:default/${user}`);
  const carries = method === 'post' || method === 'put';
  const answer = await fetch(`http://localhost:${backend.server.port()}/api/paceline${address}`, {
    method: method.toUpperCase(),
    headers: { authorization, ...(carries ? { 'content-type': 'application/json' } : {}) },
    ...(carries ? { body: '{}' } : {}),
  });
  await answer.body?.cancel();
  return answer.status;
}

it('knows what each of its routes takes', () => {
  const router = createRouter({} as never);
  const routes = router.stack.flatMap(({ route }) => {
    const { path, methods } = (route ?? { path: '', methods: {} }) as { path: string; methods: Record<string, boolean> };
    return Object.keys(methods).map((method) => `${method} ${path}`);
  });
  expect(routes.toSorted()).toEqual([...new Set(Object.keys(table).map((key) => key.replace(/\?.*/, '')))].toSorted());
});

it('lets nobody do without its permission what a route does, and everybody with it', async () => {
  const { id } = (await system.call<{ run: { id: string } }>('POST', '/api/runs', { deployment: example, parameters: { clients: '1' } }))
    .run;
  for (const [route, permission] of Object.entries(table)) {
    const isOfRun = route.includes(':run');
    expect(await ask(route, id, undefined), `${route} of nobody`).toBe(401);
    if (permission === undefined) continue;
    expect(await ask(route, id, `without.${permission}`), `${route} without ${permission}`).toBe(permission === read ? 404 : 403);
    if (isOfRun) expect(await ask(route, id, `without.${read}`), `${route} of a run that is not seen`).toBe(404);
    const enough = isOfRun && permission !== read ? `only.${read}_${permission}` : `only.${permission}`;
    expect([401, 403], `${route} with ${permission}`).not.toContain(await ask(route, id, enough));
  }
  await system.run(id).reaches('Done', 'Cancelled');
});
