import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ProjectRole } from '@paceline/api';
import { Dashboard } from '../dashboard.ts';
import { operatorToken, TestServer, type JoinedRun } from '../testing/test-server.ts';

/** Who asks. `own` is the run that the address is of, `other` another one. */
const callers = ['nobody', 'wrong', 'operator', 'ownRun', 'otherRun', 'ownAgent', 'otherAgent'] as const;
type Caller = (typeof callers)[number];

/**
 * People with personal tokens. `starter` is the deployer who has started the run, which is in the project `web`, as are the roles of
 * all others but `outsider`, who is an admin elsewhere, and the two whose roles are on the server itself.
 */
const people = ['outsider', 'viewer', 'deployer', 'starter', 'projectOperator', 'admin', 'serverOperator', 'serverAdmin'] as const;
type Person = (typeof people)[number];
type Statuses = readonly [number, number, number, number, number, number, number, number];

interface Entry {
  /** Statuses in the order of `people`. */
  people: Statuses;
  /** Statuses in the order of `callers`. */
  expected: readonly [number, number, number, number, number, number, number];
  url?: (own: JoinedRun) => string;
  options?: (own: JoinedRun) => InjectOptions;
  /** The answer goes on for ever, so only its head is looked at. */
  stream?: true;
  /** It asks the clouds, which want a pause between two who ask. */
  pauseMs?: number;
}

const noted = 'web.1:ready';
const report = (instance: string): string => `${instance}_report_2012-01-19T203527Z.tgz`;
const digest = 'a'.repeat(64);
/** Open to everybody, for the operator only, for the operator and the run's token. */
const open = [200, 200, 200, 200, 200, 200, 200] as const;
const operatorOnly = (status: number) => [401, 401, status, 401, 401, 401, 401] as const;
const run = (status: number) => [401, 401, status, status, 401, 401, 401] as const;
/** For agents, each for itself: what belongs to another run is no more than unknown. */
const agents = (own: number, other: number) => [401, 401, 401, 401, 401, own, other] as const;
const everybody = (status: number): Statuses => [status, status, status, status, status, status, status, status];
const read = (status: number): Statuses => [404, status, status, status, status, status, status, status];
const change = (status: number): Statuses => [404, 403, 403, status, status, status, status, status];
const serverOperator = (status: number): Statuses => [403, 403, 403, 403, 403, 403, status, status];
const serverAdmin = (status: number): Statuses => [403, 403, 403, 403, 403, 403, 403, status];
const ours: InjectOptions = { headers: { 'x-paceline-csrf': '1' } };
const json = (payload: object): InjectOptions => ({ payload });

/** Every route, with who may use it, and after a third word in which case. A new route needs a line here. */
const table: Record<string, Entry> = {
  'GET /api/health': { people: everybody(200), expected: open },
  'GET /api/openapi.json': { people: everybody(200), expected: open },
  'POST /api/sessions': { people: everybody(403), expected: [403, 403, 403, 403, 403, 403, 403], options: () => json({ token: 'guess' }) },
  'POST /api/session': {
    people: everybody(401),
    expected: [401, 401, 401, 401, 401, 401, 401],
    options: () => ({ ...ours, ...json({ token: 'guess' }) }),
  },
  'GET /api/session': { people: everybody(200), expected: operatorOnly(200) },
  'DELETE /api/session': { people: everybody(204), expected: [204, 204, 204, 204, 204, 204, 204], options: () => ours },
  'GET /api/login': { people: everybody(200), expected: open },
  // There is no login provider here, and the page of the login says so.
  'GET /api/login/oidc': { people: everybody(303), expected: [303, 303, 303, 303, 303, 303, 303] },
  'GET /api/login/oidc/callback': { people: everybody(303), expected: [303, 303, 303, 303, 303, 303, 303] },
  'GET /api/audit': { people: serverOperator(200), expected: operatorOnly(200) },
  'GET /api/users': { people: [200, 403, 403, 403, 403, 200, 403, 200], expected: operatorOnly(200) },
  'PUT /api/users/:user': { people: serverAdmin(200), expected: operatorOnly(200) },
  'DELETE /api/users/:user': { people: serverAdmin(404), expected: operatorOnly(404), url: () => '/api/users/nobody' },
  'PUT /api/users/:user/grants/:project': {
    people: [403, 403, 403, 403, 403, 200, 403, 200],
    expected: operatorOnly(200),
    options: () => json({ role: 'viewer' }),
  },
  'DELETE /api/users/:user/grants/:project': { people: [403, 403, 403, 403, 403, 200, 403, 200], expected: operatorOnly(200) },
  'GET /api/tokens': { people: everybody(200), expected: operatorOnly(200) },
  'POST /api/tokens': {
    people: serverAdmin(201),
    expected: operatorOnly(201),
    options: () => json({ title: 'a test', user: 'guest' }),
  },
  'DELETE /api/tokens/:token': { people: everybody(404), expected: operatorOnly(404) },
  'GET /api/clouds': { people: serverOperator(200), expected: operatorOnly(200), pauseMs: 5000 },
  'GET /api/usage': { people: everybody(200), expected: operatorOnly(200) },
  ...Object.fromEntries(
    ['/', '/login', '/runs', '/runs/:run', '/apps', '/apps/:app', '/clouds', '/access', '/audit', '/assets/:name'].map((path) => [
      `GET ${path}`,
      { people: everybody(200), expected: open, url: () => path.replace(':name', 'app.js').replaceAll(/:\w+/g, 'x') },
    ]),
  ),
  'GET /api/info': { people: everybody(200), expected: operatorOnly(200) },
  'GET /api/modules': { people: everybody(200), expected: operatorOnly(200) },
  'GET /api/modules/:module': { people: everybody(404), expected: operatorOnly(404), url: () => '/api/modules/none' },
  'POST /api/modules': { people: everybody(400), expected: operatorOnly(400), options: () => json({}) },
  'POST /api/modules/:module/copy': {
    people: [403, 403, 404, 404, 404, 404, 404, 404],
    expected: operatorOnly(404),
    url: () => '/api/modules/none/copy',
    options: () => json({ name: 'web/x' }),
  },
  'PUT /api/modules/:module/deprecation': {
    people: everybody(404),
    expected: operatorOnly(404),
    url: () => '/api/modules/none@1/deprecation',
    options: () => json({ reason: null }),
  },
  'PUT /api/modules/:module/channels/:channel': {
    people: [403, 403, 403, 403, 404, 404, 404, 404],
    expected: operatorOnly(404),
    url: () => '/api/modules/web%2Fnone@1/channels/stable',
  },
  'DELETE /api/modules/:module/channels/:channel': {
    people: [403, 403, 403, 403, 404, 404, 404, 404],
    expected: operatorOnly(404),
    url: () => '/api/modules/web%2Fnone/channels/stable',
  },
  'DELETE /api/modules/:module': { people: everybody(404), expected: operatorOnly(404), url: () => '/api/modules/none@1' },
  'GET /api/images': { people: everybody(200), expected: operatorOnly(200) },
  'POST /api/images': { people: everybody(400), expected: operatorOnly(400), options: () => json({}) },
  'PUT /api/images/:image': {
    people: everybody(404),
    expected: operatorOnly(404),
    url: () => '/api/images/none',
    options: () => json({ pinned: true }),
  },
  'PUT /api/images/:image/channels/:channel': {
    people: everybody(404),
    expected: operatorOnly(404),
    url: () => '/api/images/none/channels/stable',
  },
  'DELETE /api/images/:image': { people: everybody(404), expected: operatorOnly(404), url: () => '/api/images/none' },
  'POST /api/reap': { people: serverOperator(200), expected: operatorOnly(200), options: () => json({}), pauseMs: 5000 },
  'GET /api/runs': { people: everybody(200), expected: operatorOnly(200) },
  'POST /api/runs': {
    people: everybody(400),
    expected: [401, 401, 400, 401, 401, 401, 401],
    options: () => json({ deployment: emptyDeployment, parameters: { nothing: 'x' } }),
  },
  'GET /api/runs/:run': { people: read(200), expected: run(200) },
  'DELETE /api/runs/:run': { people: change(202), expected: run(202) },
  'POST /api/runs/:run/abort': { people: change(202), expected: run(202), options: () => json({ reason: 'a test' }) },
  'DELETE /api/runs/:run/abort': { people: change(202), expected: run(202) },
  // It is not a scalable run.
  'POST /api/runs/:run/scale': { people: change(409), expected: run(409), options: () => json({ node: 'web', add: 1 }) },
  'GET /api/runs/:run/parameters': { people: read(200), expected: run(200) },
  'GET /api/runs/:run/parameters/:key': { people: read(200), expected: run(200) },
  'GET /api/runs/:run/parameters/:key secret': {
    people: change(200),
    expected: run(200),
    url: ({ id }) => `/api/runs/${id}/parameters/ss:license?reveal=true`,
  },
  'PUT /api/runs/:run/parameters/:key': { people: change(200), expected: run(200), options: () => json({ value: 'true' }) },
  'DELETE /api/runs/:run/parameters/:key': { people: change(204), expected: run(204) },
  'GET /api/runs/:run/events': { people: read(200), expected: run(200) },
  'GET /api/runs/:run/logs': { people: read(200), expected: run(200) },
  'GET /api/runs/:run/instances/:instance/console': {
    people: read(404),
    expected: run(404),
    url: ({ id }) => `/api/runs/${id}/instances/none.1/console`,
  },
  'POST /api/runs/:run/instances/:instance/way-in': {
    people: change(404),
    expected: run(404),
    url: ({ id }) => `/api/runs/${id}/instances/none.1/way-in`,
  },
  'GET /api/runs/:run/reports': { people: read(200), expected: run(200) },
  'GET /api/runs/:run/reports/:name': {
    people: read(404),
    expected: run(404),
    url: ({ id }) => `/api/runs/${id}/reports/${report('web.1')}`,
  },
  // The bundle is the same for everybody and holds no secret; a join brings its own.
  'GET /agent/files/:digest': {
    people: everybody(404),
    expected: [404, 404, 404, 404, 404, 404, 404],
    url: () => `/agent/files/${digest}`,
  },
  'POST /agent/join': {
    people: everybody(403),
    expected: [403, 403, 403, 403, 403, 403, 403],
    options: ({ id }) =>
      json({ run: id, instance: 'web.1', secret: 'guess', keyHash: digest, agentVersion: '', nodeVersion: '', bootId: '' }),
  },
  'GET /agent/stream': { people: everybody(401), expected: agents(200, 200), stream: true },
  'POST /agent/ops': { people: everybody(401), expected: agents(409, 409), options: () => json({ session: 'of nobody', ops: [] }) },
  'GET /agent/scripts/:digest': { people: everybody(401), expected: agents(404, 404), url: () => `/agent/scripts/${digest}` },
  // Both agents are of an instance with the same name; each reaches its own run only.
  'GET /agent/reports/:name': { people: everybody(401), expected: agents(200, 200), url: () => `/agent/reports/${report('web.1')}` },
  'PUT /agent/reports/:name': {
    people: everybody(401),
    expected: agents(422, 422),
    url: () => `/agent/reports/${report('web.1')}?offset=0&size=1&sha256=${digest}`,
    options: () => ({ payload: 'x', headers: { 'content-type': 'application/gzip' } }),
  },
  'GET /run/:run/:key': { people: read(200), expected: [401, 401, 200, 200, 401, 200, 403] },
  'GET /run/:run/:key secret': {
    people: change(200),
    expected: [401, 401, 200, 200, 401, 200, 403],
    url: ({ id }) => `/run/${id}/ss:license`,
  },
  'PUT /run/:run/:key': {
    people: change(200),
    expected: [401, 401, 200, 200, 401, 200, 403],
    options: () => ({ payload: 'true', headers: { 'content-type': 'text/plain' } }),
  },
  'DELETE /run/:run/:key': { people: change(204), expected: [401, 401, 204, 204, 401, 204, 403] },
  'POST /run/:run/:key': {
    people: change(403),
    expected: [401, 401, 403, 403, 401, 200, 403],
    url: ({ id }) => `/run/${id}/web.1:complete`,
  },
  'DELETE /run/:run': { people: change(204), expected: [401, 401, 204, 204, 401, 401, 403] },
};

const emptyDeployment = {
  kind: 'Deployment',
  name: 'empty',
  tags: [],
  module: 'empty',
  parameters: {},
  nodes: {},
  keepRunning: 'never',
  timeoutMs: 1,
  lifetimeMs: 1,
  onStall: 'abort',
  digest,
};

let server: TestServer;
let other: JoinedRun;
const tokens = new Map<Person, string>();
beforeAll(async () => {
  const assets = new Map([['app.js', { type: 'text/javascript', bytes: Buffer.from('') }]]);
  server = await TestServer.open({ dashboard: new Dashboard(Buffer.from('<!doctype html>'), assets) });
  other = await server.run();
  await server.accounts.add('guest', 'a test');
  for (const person of people) tokens.set(person, await server.person(person, ...roleOf(person)));
});
afterAll(() => server.close());

describe('every route', () => {
  it('says in this table who may use it', () => {
    const routes = new Set(Object.keys(table).map((entry) => entry.split(' ').slice(0, 2).join(' ')));
    expect([...routes].toSorted()).toEqual(routesOf(server).toSorted());
  });

  it.each(Object.entries(table))('%s lets in only whom it should', async (route, { expected, url, options, stream, pauseMs = 0 }) => {
    const actual: Partial<Record<Caller, number>> = {};
    const own = await server.run();
    for (const caller of callers) {
      await server.ask('PUT', `/api/runs/${own.id}/parameters/${noted}`, json({ value: 'true' }));
      const [method = '', pattern = ''] = route.split(' ');
      const address =
        url?.(own) ??
        pattern
          .replace(':run', own.id)
          .replace(':key', noted)
          .replace(':user', 'guest')
          .replace(':project', 'web')
          .replace(':token', 'none');
      const token = tokenOf(caller, own);
      const given = { method: method as 'GET', ...options?.(own), token };
      server.world.clock.pass(pauseMs);
      actual[caller] = stream ? await headStatus(address, token) : (await server.ask(given.method, address, given)).statusCode;
    }
    expect(actual).toEqual(Object.fromEntries(callers.map((caller, index) => [caller, expected[index]])));
  });
});

describe('every role', () => {
  it.each(Object.entries(table))(
    'reaches by %s what it should, and no more',
    async (route, { people: expected, url, options, stream, pauseMs = 0 }) => {
      const actual: Partial<Record<Person, number>> = {};
      const own = await server.run({ project: 'web' }, tokens.get('starter'));
      for (const person of people) {
        await server.ask('PUT', `/api/runs/${own.id}/parameters/${noted}`, json({ value: 'true' }));
        const [method = '', pattern = ''] = route.split(' ');
        const address =
          url?.(own) ??
          pattern
            .replace(':run', own.id)
            .replace(':key', noted)
            .replace(':user', 'guest')
            .replace(':project', 'web')
            .replace(':token', 'none');
        const token = tokens.get(person) ?? null;
        const given = { method: method as 'GET', ...options?.(own), token };
        server.world.clock.pass(pauseMs);
        actual[person] = stream ? await headStatus(address, token) : (await server.ask(given.method, address, given)).statusCode;
      }
      expect(actual).toEqual(Object.fromEntries(people.map((person, index) => [person, expected[index]])));
    },
  );
});

describe('a body', () => {
  it.each(
    Object.keys(table).filter(
      (route) => /^(POST|PUT) /.test(route) && !['POST /agent/join', 'POST /api/sessions', 'POST /api/session'].includes(route),
    ),
  )('of %s is not even read from strangers', async (route) => {
    const [method = '', pattern = ''] = route.split(' ');
    const url = pattern
      .replace(':run', other.id)
      .replace(':key', noted)
      .replace(':name', report('web.1'))
      .replace(':user', 'guest')
      .replace(':project', 'web');
    const payload = Buffer.alloc(20 * 1024 * 1024, 'x');
    const answer = await server.ask(method, url, {
      token: 'plo_guess',
      payload,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.statusCode).toBe(401);
  });
});

describe('a run’s token', () => {
  it('opens its run by the full id only, and says nothing of other names', async () => {
    const own = await server.run({ name: 'mine' });
    for (const name of ['mine', own.id.slice(0, 8), 'no-such-run']) {
      expect((await server.ask('GET', `/api/runs/${name}`, { token: own.token })).statusCode).toBe(401);
    }
    expect((await server.ask('GET', '/api/runs/mine')).statusCode).toBe(200);
  });
});

describe('an agent', () => {
  it('reads neither another run nor a secret of another node that is not mapped to it', async () => {
    const own = await server.run();
    await server.ask('PUT', `/api/runs/${own.id}/parameters/web.1:password`, json({ value: 'hush' }));
    const get = (instance: string, key: string) => server.ask('GET', `/run/${own.id}/${key}`, { token: own.keyOf(instance) });
    expect((await get('client.1', 'client.1:web.password')).body).toBe('hush');
    expect((await get('client.1', 'web.1:password')).body).toBe('hush');
    await server.ask('PUT', `/api/runs/${own.id}/parameters/client.1:note`, json({ value: 'private', secret: true }));
    const refused = await get('web.1', 'client.1:note');
    expect([refused.statusCode, refused.body]).toEqual([403, 'client.1:note is a secret of another machine, and web.1 may not read it']);
    const session = await own.agents.get('web.1')?.connect().session;
    const ops = await server.ask('POST', '/agent/ops', {
      token: own.keyOf('web.1'),
      payload: { session, ops: [{ op: 'get', key: 'client.1:note', wait: false, ignoreAbort: false }] },
    });
    expect(ops.json()).toMatchObject({ results: [{ status: 'error', code: 'PACELINE_FORBIDDEN', httpStatus: 403 }] });
  });

  it('sends and asks for reports under its own name only', async () => {
    const own = await server.run();
    const token = own.keyOf('client.1');
    expect((await server.ask('GET', `/agent/reports/${report('web.1')}`, { token })).statusCode).toBe(403);
    expect((await server.ask('GET', '/agent/reports/..%2f..%2fkey', { token })).statusCode).toBe(403);
  });

  it('of a run that has ended is nobody any more', async () => {
    const own = await server.run();
    await server.ask('DELETE', `/api/runs/${own.id}`);
    await vi.waitFor(async () => expect((await server.ask('GET', `/api/runs/${own.id}`)).json()).toMatchObject({ state: 'Cancelled' }));
    expect((await server.ask('POST', '/agent/ops', { token: own.keyOf('web.1'), payload: { session: '', ops: [] } })).statusCode).toBe(401);
  });
});

function roleOf(person: Person): [role: ProjectRole, project: string] {
  switch (person) {
    case 'outsider':
      return ['admin', 'lab'];
    case 'starter':
      return ['deployer', 'web'];
    case 'serverOperator':
      return ['operator', '*'];
    case 'serverAdmin':
      return ['admin', '*'];
    case 'projectOperator':
      return ['operator', 'web'];
    case 'viewer':
    case 'deployer':
    case 'admin':
      return [person, 'web'];
  }
}

function tokenOf(caller: Caller, own: JoinedRun): string | null {
  switch (caller) {
    case 'nobody':
      return null;
    case 'wrong':
      return 'plo_guess';
    case 'operator':
      return operatorToken;
    case 'ownRun':
      return own.token;
    case 'otherRun':
      return other.token;
    case 'ownAgent':
      return own.keyOf('web.1');
    case 'otherAgent':
      return other.keyOf('web.1');
  }
}

async function headStatus(url: string, token: string | null): Promise<number> {
  const left = new AbortController();
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const answer = await server.app.inject({ method: 'GET', url, headers, payloadAsStream: true, signal: left.signal });
  if (answer.statusCode === 200) answer.stream().destroy();
  return answer.statusCode;
}

/** `METHOD /path` of everything that the application answers to. */
function routesOf({ app }: TestServer): string[] {
  const path: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', part = '', methods = ''] = /^([│├└─ ]*)(\S+) \((.*)\)$/.exec(line) ?? [];
      if (part === '') return [];
      path.splice(indent.length / 4 - 1, path.length, part);
      return methods.split(', ').map((method) => `${method} ${path.join('')}`);
    });
}
