import { mockServices } from '@backstage/backend-test-utils';
import { DatabaseManager } from '@backstage/backend-defaults/database';
import { ConfigReader } from '@backstage/config';
import type { JsonObject } from '@backstage/types';
import { openKnex, type Database } from '@paceline/engine';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { defineDatabaseContract, soon, statement } from '../../packages/engine/src/testing/database-contract.ts';
import {
  postgresPrograms,
  startPostgres,
  withoutPostgres,
  type PostgresCluster,
} from '../../packages/engine/src/testing/postgres-cluster.ts';

type Knex = Awaited<ReturnType<ReturnType<DatabaseManager['forPlugin']>['getClient']>>;

const knexes: Knex[] = [];
afterEach(async () => {
  for (const knex of knexes.splice(0)) await knex.destroy();
});

/** The Knex that Backstage gives the plugin. */
async function knexOf(config: JsonObject): Promise<Knex> {
  const manager = DatabaseManager.fromConfig(new ConfigReader({ backend: { database: config } }));
  const deps = { logger: mockServices.logger.mock(), lifecycle: mockServices.lifecycle.mock() };
  const knex = await manager.forPlugin('paceline', deps).getClient();
  knexes.push(knex);
  return knex;
}

const openSqlite = async (): Promise<Database> => openKnex(await knexOf({ client: 'better-sqlite3', connection: ':memory:' }));

describe('the SQLite of Backstage keeps the contract of databases:', () => {
  defineDatabaseContract(openSqlite);
});

it('is left open for Backstage', async () => {
  const knex = await knexOf({ client: 'better-sqlite3', connection: ':memory:' });
  await (await openKnex(knex)).close();
  expect(await knex.raw('SELECT 1 AS a')).toEqual([{ a: 1 }]);
});

it('removes with a run what belongs to it, whatever Backstage has set', async () => {
  const knex = await knexOf({ client: 'better-sqlite3', connection: ':memory:' });
  await knex.raw('PRAGMA foreign_keys=OFF');
  expect(await (await openKnex(knex)).all('PRAGMA foreign_keys', [])).toEqual([{ foreign_keys: 1 }]);
});

it('may not be of another kind', async () => {
  await expect(openKnex({ client: { driverName: 'mysql2' } as never })).rejects.toMatchObject({
    code: 'PACELINE_STORE_FAILED',
    message: 'Runs cannot be stored in a database of mysql2',
  });
});

const isMissing = postgresPrograms === undefined;
describe.skipIf(isMissing)(`the PostgreSQL of Backstage${isMissing ? withoutPostgres : ''}`, () => {
  let cluster: PostgresCluster;
  let databases = 0;
  beforeAll(async () => {
    // Backstage keeps those with which it has made databases for a while.
    cluster = await startPostgres({ connections: 100 });
  });
  afterAll(() => cluster.stop());

  /** With a database of its own, or a schema of its own in one that it shares. */
  const postgresKnex = (division: 'database' | 'schema'): Promise<Knex> => {
    const { hostname: host, port, username: user, password } = new URL(cluster.url);
    databases++;
    return knexOf({
      client: 'pg',
      connection: {
        host,
        port: Number(port),
        user,
        password: decodeURIComponent(password),
        database: division === 'schema' ? 'postgres' : undefined,
      },
      pluginDivisionMode: division,
      ...(division === 'schema' ? { schemaPrefix: `s${databases}_` } : { prefix: `d${databases}_` }),
    });
  };
  const endConnections = (which = ''): Promise<unknown> =>
    cluster.execute(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'postgres' ${which}`,
    );

  describe('keeps the contract of databases:', () => {
    defineDatabaseContract(async () => openKnex(await postgresKnex('database')));
  });

  it('is gone on with when it has ended all connections, and who listens is told of the gap', async () => {
    const database = await openKnex(await postgresKnex('schema'));
    const heard: string[] = [];
    await database.listen({ message: (payload) => heard.push(payload), gap: () => heard.push('a gap') });
    await database.transaction([statement('CREATE TABLE t (a BIGINT)')]);
    await endConnections();
    await vi.waitFor(() => expect(heard).toEqual(['a gap']), soon);
    await database.transaction([statement('INSERT INTO t VALUES (1)')], 'stored');
    await vi.waitFor(() => expect(heard).toEqual(['a gap', 'stored']), soon);
    expect(await database.all('SELECT a FROM t', [])).toEqual([{ a: 1 }]);
    await database.close();
  });

  it('says of a statement that took too long what became of it, and has its connection back', async () => {
    const database = await openKnex(await postgresKnex('schema'));
    const slow = database.transaction([statement('CREATE TABLE t (a BIGINT)'), statement('SELECT pg_sleep(60)')]);
    void slow.catch(() => {});
    await vi.waitFor(
      async () =>
        expect(
          await cluster.execute(
            "SELECT pg_cancel_backend(pid) AS done FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()",
          ),
        ).toEqual([{ done: true }]),
      soon,
    );
    await expect(slow).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED', data: { outcome: 'none', retryable: true } });
    await expect(database.all('SELECT a FROM t', [])).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED' });
    expect(await database.all('SELECT 1 AS a', [])).toEqual([{ a: 1 }]);
    await database.close();
  });
});
