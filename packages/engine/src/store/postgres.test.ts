import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { imageDeployment, isPacelineError, withDigests, type PacelineError } from '@paceline/model';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ModuleStore } from '../registry/module-store.ts';
import { defineImageContract } from '../testing/image-contract.ts';
import { defineModuleContract } from '../testing/module-contract.ts';
import { defineDatabaseContract, soon, statement } from '../testing/database-contract.ts';
import { postgresPrograms, startPostgres, withoutPostgres, type PostgresCluster } from '../testing/postgres-cluster.ts';
import { clientServerPlan, imageOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import type { Database } from './database.ts';
import { migrate } from './migrations.ts';
import { openPostgres, type PostgresOptions } from './postgres.ts';
import { insertLog, insertReport, saveFacts, saveInstance, saveParameter } from './run-rows.ts';
import { RunStore } from './run-store.ts';
import { openSqlite } from './sqlite.ts';
import { createCipher } from './value-cipher.ts';

const isMissing = postgresPrograms === undefined;

it('is installed where continuous integration runs', () => {
  expect(isMissing && process.env['CI'] !== undefined).toBe(false);
});

describe.skipIf(isMissing)(`PostgreSQL${isMissing ? withoutPostgres : ''}`, () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 60_000);
  afterAll(() => cluster.stop(), 60_000);

  async function opened(options: PostgresOptions = {}, url?: string): Promise<Database> {
    const database = await openPostgres(url ?? (await cluster.createDatabase()), options);
    onTestFinished(() => database.close());
    return database;
  }

  describe('keeps the contract of databases:', () => {
    defineDatabaseContract(async () => openPostgres(await cluster.createDatabase()));
  });

  describe('keeps the contract of the registry:', () => {
    defineModuleContract(async () => openPostgres(await cluster.createDatabase()));
    defineImageContract(async () => openPostgres(await cluster.createDatabase()));
  });

  it.each([
    ['deletes it meanwhile', 'promote', 'remove'],
    ['promotes it meanwhile', 'remove', 'promote'],
  ] as const)('a version is not both a channel’s and gone, when somebody else %s', async (_what, slow, quick) => {
    const url = await cluster.createDatabase();
    const [one, other] = [await opened({}, url), await opened({}, url)];
    await migrate(one);
    const deployment = withDigests(imageDeployment(imageOf({}), []));
    await new ModuleStore(one).publish({ name: 'web', deployment, author: 'ann', comment: '', commit: '' }, 1);
    const act = {
      promote: (database: Database) => new ModuleStore(database).promote({ name: 'web', version: 1 }, 'stable'),
      remove: (database: Database) => new ModuleStore(database).remove({ name: 'web', version: 1 }),
    };
    // The first has done everything but its commit, until we let go.
    const gate = new Client({ connectionString: url });
    await gate.connect();
    onTestFinished(() => gate.end());
    await gate.query('SELECT pg_advisory_lock(1)');
    const held: Database = {
      ...{ dialect: one.dialect, shared: one.shared, all: one.all.bind(one), listen: one.listen.bind(one), close: one.close.bind(one) },
      transaction: (statements) => one.transaction([...statements, statement('SELECT pg_advisory_xact_lock(1)')]),
    };
    const waiting = async (kind: string): Promise<unknown> =>
      (await cluster.execute(`SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = '${kind}'`, url)).length;
    const first = act[slow](held);
    await vi.waitFor(async () => expect(await waiting('advisory')).toBe(1), soon);
    let isOver = false;
    const second = act[quick](other).finally(() => (isOver = true));
    const both = Promise.allSettled([first, second]);
    await vi.waitFor(async () => expect(isOver || (await waiting('transactionid')) === 1).toBe(true), soon);
    await gate.query('SELECT pg_advisory_unlock(1)');
    expect((await both).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(second).rejects.toMatchObject({ code: 'PACELINE_CONFLICT' });
  });

  describe('a commit is on disk when it is answered', () => {
    it.each([
      ['off', 'on'],
      ['local', 'on'],
      ['remote_apply', 'remote_apply'],
    ])('where synchronous_commit is %s, it is %s for us', async (configured, ours) => {
      const url = await cluster.createDatabase();
      await cluster.execute(
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = ${configured}', current_database()); END $$`,
        url,
      );
      expect(await (await opened({}, url)).all('SHOW synchronous_commit', [])).toEqual([{ synchronous_commit: ours }]);
    });
  });

  describe('prepared statements', () => {
    it('outlive the batch that failed before they were prepared', async () => {
      const database = await opened({ maxConnections: 1 });
      await database.transaction([statement('CREATE TABLE t (a BIGINT PRIMARY KEY)')]);
      const mixed = [
        statement('INSERT INTO t VALUES (?)', 1),
        statement('INSERT INTO t VALUES (? + 0)', 1),
        statement('DELETE FROM t WHERE a = ?', 7),
      ];
      await expect(database.transaction(mixed)).rejects.toThrow();
      await expect(database.transaction(mixed)).rejects.toThrow();
      await database.transaction(mixed.toSpliced(1, 1));
      expect(await database.all('SELECT a FROM t', [])).toEqual([{ a: 1 }]);
    });

    it('follow a schema that another server has changed', async () => {
      const url = await cluster.createDatabase();
      const database = await opened({ maxConnections: 1 }, url);
      await database.transaction([statement('CREATE TABLE t (a BIGINT)'), statement('INSERT INTO t VALUES (1)')]);
      expect(await database.all('SELECT * FROM t', [])).toEqual([{ a: 1 }]);
      await cluster.execute("ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'new'", url);
      expect(await database.all('SELECT * FROM t', [])).toEqual([{ a: 1, b: 'new' }]);
    });

    it('that are lost are prepared again', async () => {
      const database = await opened({ maxConnections: 1 });
      await database.transaction([statement('CREATE TABLE t (a BIGINT)')]);
      const work = [statement('INSERT INTO t VALUES (?)', 1)];
      await database.transaction(work);
      await database.transaction([statement('DEALLOCATE ALL')]);
      await database.transaction(work);
      expect(await database.all('SELECT COUNT(*) AS rows FROM t', [])).toEqual([{ rows: 2 }]);
    });
  });

  describe('connections', () => {
    it('are no more than agreed', async () => {
      const url = await cluster.createDatabase();
      const database = await opened({ maxConnections: 3 }, url);
      await Promise.all(Array.from({ length: 30 }, () => database.all('SELECT 1', [])));
      const [found] = await cluster.execute(
        "SELECT COUNT(*)::integer AS n FROM pg_stat_activity WHERE application_name = 'paceline' AND datname = current_database()",
        url,
      );
      expect(found).toEqual({ n: 3 });
    });

    it('are waited for so long', async () => {
      const database = await opened({ maxConnections: 1, connectTimeoutMs: 1000 });
      const slow = database.all('SELECT pg_sleep(2)', []);
      await expect(database.all('SELECT 1', [])).rejects.toMatchObject({
        code: 'PACELINE_STORE_FAILED',
        message: expect.stringContaining('all our connections'),
        data: { retryable: true },
      });
      await slow;
    });

    it('that the server has ended are made anew', async () => {
      const url = await cluster.createDatabase();
      const database = await opened({ maxConnections: 1 }, url);
      for (let round = 0; round < 10; round++) {
        await cluster.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'paceline' AND datname = current_database()",
          url,
        );
        expect(await database.all('SELECT 1 AS a', [])).toEqual([{ a: 1 }]);
      }
    });
  });

  describe('a failure', () => {
    const failureOf = async (work: Promise<unknown>): Promise<PacelineError> => {
      const error = await work.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (!isPacelineError(error)) throw new Error('It should have failed with an error of ours', { cause: error });
      return error;
    };

    it.each([
      ['53100', 'PACELINE_STORE_FULL', true],
      ['53300', 'PACELINE_STORE_FAILED', true],
      ['40001', 'PACELINE_STORE_FAILED', true],
      ['57014', 'PACELINE_STORE_FAILED', true],
      ['42501', 'PACELINE_STORE_FAILED', false],
      ['23505', 'PACELINE_STORE_FAILED', false],
    ])('of SQLSTATE %s is %s, nothing is stored, and it may go well later: %s', async (state, code, retryable) => {
      const database = await opened();
      const raise = statement(`DO $$ BEGIN RAISE EXCEPTION 'it broke' USING ERRCODE = '${state}'; END $$`);
      const error = await failureOf(database.transaction([statement('CREATE TABLE t (a BIGINT)'), raise]));
      expect(error).toMatchObject({
        code,
        message: expect.stringMatching(/^The database test_\d+ at 127\.0\.0\.1:\d+ .*: it broke$/),
        data: { outcome: 'none', retryable },
      });
      await expect(database.all('SELECT a FROM t', [])).rejects.toThrow('does not exist');
    });

    it('of the password, the name, the host or the URL says so, without the password', async () => {
      const { url } = cluster;
      const urls = [
        url.replace(/%2Ffor/, '%2Ffour'),
        url.replace(/postgres$/, 'nowhere'),
        url.replace(/:\d+\/postgres$/, ':1/postgres'),
        url.replace('127.0.0.1', 'nowhere.invalid'),
        `${url}?sslmode=verify-full`,
        url.replace('postgres:', 'mysql:'),
        url.replace('@', '%@'),
      ];
      const errors = await Promise.all(urls.map((each) => failureOf(openPostgres(each, { connectTimeoutMs: 5000 }))));
      expect(errors.map(({ code }) => code)).toEqual(urls.map(() => 'PACELINE_STORE_FAILED'));
      const texts = errors.map(({ message, hint }) => `${message.replaceAll(/:\d{2,}/g, ':PORT')}\n  ${hint}`);
      expect(texts.join('\n')).toMatchInlineSnapshot(`
        "The database postgres at 127.0.0.1:PORT refused the password: password authentication failed for user "paceline"
          Check the user and the password in the URL of the database.
        The database nowhere at 127.0.0.1:PORT does not exist: database "nowhere" does not exist
          Create it: \`createdb --encoding=UTF8 --template=template0 NAME\`.
        The database postgres at 127.0.0.1:1 does not answer: nothing listens there: connect ECONNREFUSED 127.0.0.1:1
          Check the host and the port in its URL, that it runs, and that a firewall lets us through.
        The database postgres at nowhere.invalid:PORT cannot be reached: the name of its host is not known: getaddrinfo ENOTFOUND nowhere.invalid
          Check the host and the port in its URL, that it runs, and that a firewall lets us through.
        The database postgres at 127.0.0.1:PORT cannot be reached safely: The server does not support SSL connections
          Check \`sslmode\` in its URL, and name the authority that signed its certificate with \`sslrootcert\`.
        The URL of the database cannot be used: it does not begin with postgres://
          Write it as postgres://user:password@host:5432/name, special characters in it percent-encoded.
        The database postgres at 127.0.0.1:PORT refused the password: password authentication failed for user "paceline"
          Check the user and the password in the URL of the database."
      `);
      expect(inspect(errors, { depth: 10 })).not.toMatch(/made-up|for.tests/);
    });

    it('to find a server that suits names what is wrong with it', async () => {
      const latin = await cluster.createDatabase("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
      const replica = await cluster.createDatabase();
      await cluster.execute(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$",
        replica,
      );
      expect([await failureOf(openPostgres(latin)), await failureOf(openPostgres(replica))].map(({ message }) => message)).toEqual([
        expect.stringContaining('keeps text as LATIN1'),
        expect.stringContaining('is a read-only replica'),
      ]);
    });

    it('to make tables without the right to do so says whose they have to be', async () => {
      const url = await cluster.createDatabase();
      await cluster.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'");
      const database = await opened({}, cluster.urlOf(new URL(url).pathname.slice(1), 'guest:guest'));
      const error = await failureOf(database.transaction([statement('CREATE TABLE t (a BIGINT)')]));
      expect(error.hint).toBe('Make the user its owner: `ALTER DATABASE name OWNER TO user`.');
    });

    it('to answer in time leaves nothing behind', async () => {
      const database = await opened({ statementTimeoutMs: 1000 });
      await database.transaction([statement('CREATE TABLE t (a BIGINT)')]);
      const error = await failureOf(database.transaction([statement('INSERT INTO t VALUES (1)'), statement('SELECT pg_sleep(5)')]));
      expect(error).toMatchObject({
        code: 'PACELINE_STORE_FAILED',
        message: expect.stringContaining('took too long'),
        data: { outcome: 'none', retryable: true },
      });
      expect(await database.all('SELECT a FROM t', [])).toEqual([]);
    });

    it('after the database is closed says so', async () => {
      const database = await opened();
      await database.close();
      await database.close();
      expect((await failureOf(database.transaction([statement('SELECT 1')]))).message).toContain('is closed');
    });
  });

  describe('who listens', () => {
    let url = '';
    let database: Database;
    const heard: string[] = [];
    /** The connections whose last word was LISTEN. */
    const listening = (select = 'pid'): Promise<unknown> =>
      cluster.execute(`SELECT ${select} FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`, url);
    const endListening = (): Promise<unknown> => listening('pg_terminate_backend(pid)');
    beforeEach(async () => {
      url = await cluster.createDatabase();
      database = await openPostgres(url, { pingEveryMs: 100_000 });
      heard.length = 0;
    });
    afterEach(() => database.close());

    it('hears the transactions of other processes on its channel', async () => {
      await database.listen({ message: (payload) => heard.push(payload), gap: () => heard.push('a gap') });
      await (await opened({ channel: 'another' }, url)).transaction([], 'not for us');
      await (await opened({}, url)).transaction([], 'for us');
      await vi.waitFor(() => expect(heard).toEqual(['for us']), soon);
    });

    it('is told of each gap once it listens again', async () => {
      await database.listen({ message: (payload) => heard.push(payload), gap: () => heard.push('a gap') });
      for (const payload of ['one', 'two', 'three']) {
        await endListening();
        await vi.waitFor(() => expect(heard.at(-1)).toBe('a gap'), soon);
        await database.transaction([], payload);
        await vi.waitFor(() => expect(heard.at(-1)).toBe(payload), soon);
      }
      expect(heard).toEqual(['a gap', 'one', 'a gap', 'two', 'a gap', 'three']);
    });

    it('hears nothing of the end that it asked for', async () => {
      const end = await database.listen({ message: (payload) => heard.push(payload), gap: () => heard.push('a gap') });
      await endListening();
      await end();
      await end();
      await vi.waitFor(async () => expect(await listening()).toEqual([]), soon);
      expect(heard).toEqual([]);
    });

    it('keeps a quiet connection alive', async () => {
      const pinged = await opened({ pingEveryMs: 10 }, url);
      await pinged.listen({ message: (payload) => heard.push(payload), gap: () => heard.push('a gap') });
      await vi.waitFor(async () => expect(await listening()).toEqual([]), soon);
      await pinged.transaction([], 'still there');
      await vi.waitFor(() => expect(heard).toEqual(['still there']), soon);
    });
  });

  it('answers the store as SQLite does', async () => {
    const answers = async (database: Database): Promise<unknown[]> => {
      const store = await RunStore.open(database, createCipher(Buffer.alloc(32, 1)));
      const { run } = new TestRun(clientServerPlan(2));
      const at = run.createdAt;
      await store.insertRun(run, 'replica');
      run.parameters.set('test:secret', { value: 'hidden', secret: true });
      await store.commit(
        [
          saveFacts(run),
          ...[...run.instances.values()].map((instance) => saveInstance(run, instance)),
          saveParameter(run, 'test:secret', 'hidden', true, store.cipher),
          ...[1, 2].map((seq) =>
            insertLog(run, {
              seq,
              instance: 'apache.1',
              source: 'deploy',
              stream: 'stdout',
              start: 5 * (seq - 1),
              bytes: 5,
              at,
              text: 'a\0\ud800b\n',
            }),
          ),
          insertReport(run, { name: 'report', instance: 'apache.1', bytes: 2 ** 40, sha256: 'x', at }),
        ],
        [run.id],
      );
      run.revision += 1;
      // Who drives it, and since when, is not stored.
      expect(await store.run(run.id)).toEqual({ ...run, drivenSince: 0 });
      const [owned] = await store.activeRuns();
      await store.addReplica({ id: 'one', url: 'http://one', beats: 0 });
      return [
        await store.list({ activeOnly: true }),
        await store.list({ limit: 10, offset: 1 }),
        await store.list({ tag: run.tags[0] ?? 'none' }),
        await store.list({ tag: 'none', text: run.id.slice(0, 5) }),
        await store.list({ text: run.id.slice(0, 5) }),
        ...(await Promise.all([run.id.slice(0, 5), 'test', '%', '_', '\\'].map((text) => store.find(text)))),
        await store.events(run.id, 0, 10),
        await store.events(run.id, 2 ** 40, 10),
        await store.logs(run.id, 1, 10),
        await store.logEnds(run.id),
        await store.reports(run.id),
        owned && (await store.claim(owned, 'another')),
        owned && (await store.claim(owned, null)),
        await store.ownerOf(run.id),
        await store.beat({ id: 'one', url: 'http://there', beats: 1 }),
        await store.beat({ id: 'two', url: 'http://there', beats: 1 }),
        await store.replicas(),
        await store.buryReplica({ id: 'one', url: '', beats: 0 }),
        await store.endedBefore(at + 1, 0),
        await store.endedWith('logs', at + 1, 0),
        await store.forget('logs', run.id),
        await store.logs(run.id, 0, 10),
        await store.forgetRun(run.id),
        await store.run(run.id),
      ];
    };
    const sqlite = openSqlite(':memory:');
    onTestFinished(() => sqlite.close());
    expect(await answers(await opened())).toEqual(await answers(sqlite));
  });

  it('orders all our text by its bytes', async () => {
    const database = await opened();
    await migrate(database);
    const texts = await database.all(
      "SELECT collation_name FROM information_schema.columns WHERE data_type = 'text' AND table_schema = 'public'",
      [],
    );
    expect(new Set(texts.map((row) => row['collation_name']))).toEqual(new Set(['C']));
  });

  it('is brought to the newest schema by one of the processes that start at once', async () => {
    const urls = await Promise.all(Array.from({ length: 5 }, () => cluster.createDatabase()));
    const script = `
      import { once } from 'node:events';
      import { openPostgres } from ${JSON.stringify(join(import.meta.dirname, 'postgres.ts'))};
      import { migrate } from ${JSON.stringify(join(import.meta.dirname, 'migrations.ts'))};
      const databases = await Promise.all(process.env.URLS.split(' ').map((url) => openPostgres(url)));
      console.log('ready');
      await once(process.stdin, 'data');
      for (const database of databases) await migrate(database);
      process.exit();`;
    const args = ['--conditions=@paceline/source', '--input-type=module', '-e', script];
    const processes = [1, 2, 3].map(() =>
      spawn(process.execPath, args, { env: { ...process.env, URLS: urls.join(' ') }, stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    await Promise.all(processes.map(({ stdout }) => once(stdout, 'data')));
    const ended = processes.map((child) => once(child, 'exit'));
    for (const { stdin } of processes) stdin.write('go');
    expect(await Promise.all(ended)).toEqual(processes.map(() => [0, null]));
    for (const url of urls) expect(await (await opened({}, url)).all('SELECT COUNT(*) AS runs FROM runs', [])).toEqual([{ runs: 0 }]);
  });
});
