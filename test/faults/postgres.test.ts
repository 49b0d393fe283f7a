import { isPacelineError } from '@paceline/model';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Database, Statement } from '../../packages/engine/src/store/database.ts';
import { openPostgres, type PostgresOptions } from '../../packages/engine/src/store/postgres.ts';
import { postgresPrograms, startPostgres, withoutPostgres, type PostgresCluster } from '../support/postgres.ts';

const isMissing = postgresPrograms === undefined;
const groupSize = 50;
const soon = { timeout: 20_000, interval: 2 };

describe.skipIf(isMissing)(`a PostgreSQL server${isMissing ? withoutPostgres : ''}`, () => {
  let cluster: PostgresCluster;
  beforeEach(async () => {
    cluster = await startPostgres();
  });
  afterEach(() => cluster.stop());

  async function opened(options: PostgresOptions = {}): Promise<Database> {
    const database = await openPostgres(await cluster.createDatabase(), options);
    onTestFinished(() => database.close());
    await database.transaction([{ sql: 'CREATE TABLE t (name TEXT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (name, n))', values: [] }]);
    return database;
  }

  /** A transaction whose rows are all there or none is. */
  const group = (name: string): Statement[] =>
    Array.from({ length: groupSize }, (_, n) => ({ sql: 'INSERT INTO t (name, n) VALUES (?, ?)', values: [name, n] }));

  async function stored(database: Database): Promise<Map<string, number>> {
    const rows = await database.all('SELECT name, COUNT(*) AS rows FROM t GROUP BY name', []);
    return new Map(rows.map((row) => [String(row['name']), Number(row['rows'])]));
  }

  async function failureOf(work: Promise<unknown>): Promise<'it went well' | { code: string; outcome?: unknown }> {
    try {
      await work;
      return 'it went well';
    } catch (error) {
      if (!isPacelineError(error)) throw error;
      return { code: error.code, ...error.data };
    }
  }

  const lost = { code: 'PACELINE_STORE_FAILED', outcome: 'unknown', retryable: true };

  it('that is killed in the middle of a transaction has nothing of it', async () => {
    const database = await opened();
    const work = failureOf(database.transaction([...group('a'), { sql: 'SELECT pg_sleep(?)', values: [60] }]));
    await vi.waitFor(async () => {
      expect(await cluster.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).toHaveLength(1);
    }, soon);
    await cluster.kill();
    expect(await work).toEqual(lost);
    expect(await failureOf(database.transaction(group('b')))).toMatchObject({ outcome: 'none', retryable: true });
    await cluster.start();
    await database.transaction(group('c'));
    expect(await stored(database)).toEqual(new Map([['c', groupSize]]));
  });

  it('that is killed at any moment has all that it acknowledged, and no half of anything', async () => {
    const database = await opened();
    const acknowledged: string[] = [];
    const refused: string[] = [];
    let stopped: boolean;
    const write = async (writer: string): Promise<void> => {
      for (let n = 0; !stopped; n++) {
        const name = `${writer}.${n}`;
        const failure = await failureOf(database.transaction(group(name), name));
        if (failure === 'it went well') acknowledged.push(name);
        else if (failure.outcome === 'none') refused.push(name);
        else expect(failure).toEqual(lost);
      }
    };
    for (let round = 0; round < 5; round++) {
      stopped = false;
      const writers = ['a', 'b', 'c'].map((writer) => write(`${writer}.${round}`));
      const before = acknowledged.length;
      await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 5 * round), soon);
      await cluster.kill();
      stopped = true;
      await Promise.all(writers);
      await cluster.start();
      const found = await stored(database);
      expect([...found.values()].filter((rows) => rows !== groupSize)).toEqual([]);
      expect(acknowledged.filter((name) => !found.has(name))).toEqual([]);
      expect(refused.filter((name) => found.has(name))).toEqual([]);
    }
  });

  it('that stands still fails what waits for it, and goes on where it was', async () => {
    const database = await opened({ statementTimeoutMs: 1000, connectTimeoutMs: 1000, pingEveryMs: 100, maxConnections: 2 });
    const heard: string[] = [];
    await database.listen({ message: (payload) => heard.push(payload), gap: () => heard.push('a gap') });
    cluster.pause();
    expect(await Promise.all([failureOf(database.transaction(group('a'))), failureOf(database.all('SELECT 1', []))])).toEqual([
      lost,
      { code: 'PACELINE_STORE_FAILED', outcome: 'none', retryable: true },
    ]);
    cluster.resume();
    await vi.waitFor(() => expect(heard).toContain('a gap'), soon);
    let attempt = 0;
    await vi.waitFor(() => database.transaction(group(`b${attempt++}`), 'b'), soon);
    await vi.waitFor(() => expect(heard).toContain('b'), soon);
    const found = await stored(database);
    expect(new Set(found.values())).toEqual(new Set([groupSize]));
    expect(found.has(`b${attempt - 1}`)).toBe(true);
  });

  it('that is shut down and started again goes unnoticed in between', async () => {
    const database = await opened();
    await database.transaction(group('a'));
    await cluster.shutDown();
    await cluster.start();
    expect(await stored(database)).toEqual(new Map([['a', groupSize]]));
    await database.transaction(group('b'));
  });
});
