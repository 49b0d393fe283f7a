import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { agentProtocol, createClient, type Client } from '@paceline/api';
import { diskFiles, loadModule, type ResolvedDeployment } from '@paceline/model';
import { createServiceFactory, type SchedulerServiceTaskInvocationDefinition } from '@backstage/backend-plugin-api';
import type { JsonObject } from '@backstage/types';
import { mockCredentials, mockServices, startTestBackend, type TestBackend } from '@backstage/backend-test-utils';
import { catalogServiceMock } from '@backstage/plugin-catalog-node/testUtils';
import { notificationService } from '@backstage/plugin-notifications-node';
import signalsPlugin from '@backstage/plugin-signals-backend';
import pacelinePlugin from '@paceline/backstage-plugin-backend';
import { pluginClient } from '@paceline/backstage-plugin-common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../test/support/system.ts';
import { until } from '../../test/support/until.ts';

let folder = '';
let backend: TestBackend | undefined;
let example: ResolvedDeployment;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paceline-engine-'));
  await writeFile(join(folder, 'clouds.yaml'), `clouds: { local: { connector: local, root: ${JSON.stringify(join(folder, 'local'))} } }\n`);
  example = (await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository })).deployment;
});
afterEach(() => backend?.stop());
afterAll(() => rm(folder, { recursive: true, force: true }));

const scheduled: SchedulerServiceTaskInvocationDefinition[] = [];

async function start(more: JsonObject = {}): Promise<Client> {
  const database = { client: 'better-sqlite3', connection: { directory: join(folder, 'database') }, ...more };
  const engine = { state: join(folder, 'state'), clouds: join(folder, 'clouds.yaml') };
  const reap = { frequency: { hours: 1 }, timeout: { minutes: 1 } };
  const started = await startTestBackend({
    features: [
      pacelinePlugin,
      signalsPlugin,
      mockServices.rootConfig.factory({ data: { backend: { database }, paceline: { engine, reap } } }),
      mockServices.scheduler.mock({ scheduleTask: async (task) => void scheduled.push(task) }).factory,
      catalogServiceMock.factory(),
      createServiceFactory({ service: notificationService, deps: {}, factory: () => ({ send: async () => {} }) }),
    ],
  });
  backend = started;
  return pluginClient((path, init) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', mockCredentials.user.header('user:default/alice'));
    return fetch(`http://localhost:${started.server.port()}/api/paceline${path}`, { ...init, headers });
  });
}

const signals = (): string => `ws://localhost:${backend?.server.port()}/api/signals`;

/** As the page does: the first attempt after the start is never answered, with or without us. */
async function opens(url: string): Promise<void> {
  await until(
    async () => {
      const socket = new WebSocket(url);
      try {
        await once(socket, 'open', { signal: AbortSignal.timeout(2000) });
      } finally {
        socket.close();
      }
    },
    15_000,
    50,
  );
}

/** What an agent is told that asks for a connection for both ways, and has no key. */
async function agentIsAnswered(): Promise<number | undefined> {
  const url = `http://localhost:${backend?.server.port()}/api/paceline/engine/agent/stream`;
  const asked = request(url, { headers: { connection: 'upgrade', upgrade: agentProtocol }, signal: AbortSignal.timeout(10_000) }).end();
  const [answer] = (await once(asked, 'response')) as [{ statusCode?: number; resume(): void }];
  answer.resume();
  return answer.statusCode;
}

describe('a back end with the engine in it', () => {
  it('hears agents that ask for a connection for both ways, after signals have begun to listen for WebSockets', async () => {
    await start();
    await opens(signals());
    expect(await agentIsAnswered()).toBe(401);
    await opens(signals());
  });

  it('leaves signals their WebSockets when agents were there first', async () => {
    await start();
    expect(await agentIsAnswered()).toBe(401);
    await opens(signals());
    expect(await agentIsAnswered()).toBe(401);
  });

  it('has its runs in the database of the plugin, and goes on with them when it is started again', async () => {
    let alice = await start();
    const { run } = await alice.runs.create({ deployment: example, parameters: { clients: '1' } });
    expect(run.createdBy).toBe('user:default/alice via backstage');
    await until(async () => expect((await alice.runs.get(run.id)).state).toBe('Ready'));
    expect((await alice.logs(run.id)).map(({ text }) => text).join('')).toContain('Hello from the web server');
    await backend?.stop();
    alice = await start();
    expect(await alice.runs.get(run.id)).toMatchObject({ state: 'Ready', outcome: null });
    await alice.runs.terminate(run.id);
    await until(async () => expect((await alice.runs.get(run.id)).state).toBe('Done'));
    expect(JSON.stringify(await alice.events(run.id))).toContain('by user:default/alice via backstage');
  });

  it('leaves the tables alone when Backstage is told so, and says when they are not there', async () => {
    const elsewhere = { connection: { directory: join(folder, 'without-tables') }, skipMigrations: true };
    await expect(start(elsewhere)).rejects.toThrow(/The tables are of version 0, and this is for version \d+/);
    await start();
    await backend?.stop();
    const alice = await start({ skipMigrations: true });
    expect(await alice.runs.list()).toEqual(expect.any(Array));
  });

  it('has the clouds of its engine reaped by the scheduler', async () => {
    await start();
    const task = scheduled.findLast(({ id }) => id === 'paceline-reap');
    await task?.fn(new AbortController().signal);
    const token = (await readFile(join(folder, 'state/operator.token'), 'utf8')).trim();
    const engine = createClient({ url: `http://localhost:${backend?.server.port()}/api/paceline/engine`, token });
    expect((await engine.accounts.audit({ limit: 1 }))[0]).toMatchObject({ actor: 'backstage', operation: 'reap', status: 200 });
  });

  it('asks its engine in a name that no user there can have', async () => {
    await start();
    const token = (await readFile(join(folder, 'state/operator.token'), 'utf8')).trim();
    const add = (name: string): Promise<Response> =>
      fetch(`http://localhost:${backend?.server.port()}/api/paceline/engine/api/users/${name}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
      });
    expect((await add('backstage')).status).toBe(400);
    expect((await add('bob')).status).toBe(200);
  });

  it('lets agents to the engine without a login of Backstage, and asks for their own keys', async () => {
    await start();
    const at = `http://localhost:${backend?.server.port()}/api/paceline/engine`;
    const codeOf = async (path: string, init: RequestInit = {}): Promise<unknown> => {
      const answer = await fetch(at + path, init);
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    expect(await codeOf('/agent/stream')).toEqual([401, 'PACELINE_UNAUTHENTICATED']);
    expect(await codeOf('/agent/stream', { headers: { authorization: mockCredentials.user.header() } })).toEqual([
      401,
      'PACELINE_UNAUTHENTICATED',
    ]);
    expect(await codeOf('/api/runs')).toEqual([401, 'PACELINE_UNAUTHENTICATED']);
    expect(await codeOf('/nowhere')).toEqual([404, 'PACELINE_NOT_FOUND']);
    expect(await codeOf(`/agent/files/${'0'.repeat(64)}`)).toEqual([404, 'PACELINE_NOT_FOUND']);
  });
});
