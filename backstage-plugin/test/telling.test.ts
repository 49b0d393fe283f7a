import { createClient, onBehalfOfHeader, type CreatedRun } from '@paceline/api';
import { diskFiles, loadModule } from '@paceline/model';
import { mockServices } from '@backstage/backend-test-utils';
import { DatabaseManager } from '@backstage/backend-defaults/database';
import type { DatabaseService } from '@backstage/backend-plugin-api';
import { ConfigReader } from '@backstage/config';
import type { EventParams } from '@backstage/plugin-events-node';
import type { NotificationSendOptions } from '@backstage/plugin-notifications-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { repository, System } from '../../test/support/system.ts';
import { until } from '../../test/support/until.ts';
import { Self } from '../backend/src/runs/self.ts';
import { Told } from '../backend/src/tasks/told.ts';
import { watchRuns } from '../backend/src/tasks/watch-runs.ts';

let system: System;
let token = '';
beforeAll(async () => {
  system = await System.start();
  await system.call('PUT', '/api/users/backstage');
  await system.call('PUT', '/api/users/backstage/grants/*', { role: 'operator' });
  ({ token } = await system.call<{ token: string }>('POST', '/api/tokens', { title: 'a test', user: 'backstage' }));
});
afterAll(() => system?.close());

let database: DatabaseService;
let stop: AbortController;
beforeEach(() => {
  stop = new AbortController();
  const manager = DatabaseManager.fromConfig(
    new ConfigReader({ backend: { database: { client: 'better-sqlite3', connection: ':memory:' } } }),
  );
  database = manager.forPlugin('paceline', { logger: mockServices.logger.mock(), lifecycle: mockServices.lifecycle.mock() });
});
afterEach(async () => {
  stop.abort();
  await (await database.getClient()).destroy();
});

const published: EventParams[] = [];
const notified: NotificationSendOptions[] = [];
beforeEach(() => {
  published.length = 0;
  notified.length = 0;
});

/** A back end that tells what becomes of runs. @returns when it has ended */
async function watch(
  send = async (options: NotificationSendOptions): Promise<void> => void notified.push(options),
): Promise<() => Promise<void>> {
  const client = createClient({ url: system.url, token });
  const watching = watchRuns({
    client,
    self: new Self(client),
    told: await Told.open(database),
    events: { publish: async (event) => void published.push(event) },
    notifications: { send },
    logger: mockServices.logger.mock(),
    signal: stop.signal,
  });
  return async () => {
    stop.abort();
    await watching;
  };
}

async function start(): Promise<string> {
  const { deployment } = await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository });
  const headers = { authorization: `Bearer ${token}`, [onBehalfOfHeader]: 'user:default/alice' };
  return (await system.call<CreatedRun>('POST', '/api/runs', { deployment, parameters: { clients: '1' } }, headers)).run.id;
}

const toldOf = (id: string): unknown[] => [
  ...published.filter(({ eventPayload }) => (eventPayload as { id: string }).id === id).map(({ metadata }) => metadata?.['state']),
  ...notified.filter(({ payload }) => payload.link?.endsWith(id) === true).map(({ payload }) => payload.title),
];

it('is done once by two back ends that share a database, and by none of them again', async () => {
  const ends = [await watch(), await watch()];
  const id = await start();
  await system.run(id).reaches('Ready');
  await until(() => expect(toldOf(id)).toEqual(['Ready', 'client-server is ready']));
  await system.run(id).down();
  await until(() => expect(toldOf(id)).toEqual(['Ready', 'Done', 'client-server is ready']));
  for (const end of ends) await end();
  stop = new AbortController();
  const end = await watch();
  // What it finds in its list comes before what happens then.
  const other = await start();
  await until(() => expect(toldOf(other)).toContain('Ready'));
  expect(toldOf(id)).toEqual(['Ready', 'Done', 'client-server is ready']);
  await end();
  await system.run(other).down();
});

it('is tried again when it has failed, and does not repeat what was told by then', async () => {
  let failures = 0;
  await watch(async (options) => {
    if (failures++ < 1) throw new Error('the bus is down');
    notified.push(options);
  });
  const id = await start();
  await until(() => expect(toldOf(id)).toEqual(['Ready', 'client-server is ready']));
  expect(failures).toBe(2);
  await system.run(id).down();
});

it('is done by another back end when the one that was about to do it has died', async () => {
  const [dead, alive] = [await Told.open(database), await Told.open(database)];
  const now = Date.now();
  const telling = Promise.withResolvers<void>();
  const dying = dead.once('a', 'Ready', () => telling.promise, now);
  let told = 0;
  const tell = async (): Promise<void> => void (told += 1);
  await until(async () => expect(await (await database.getClient())('paceline_tellings').count('* as rows')).toEqual([{ rows: 1 }]));
  await alive.once('a', 'Ready', tell, now + 1000);
  expect(told).toBe(0);
  await alive.once('a', 'Ready', tell, now + 61_000);
  await alive.once('a', 'Ready', tell, now + 200_000);
  expect(told).toBe(1);
  telling.resolve();
  await dying;
});
