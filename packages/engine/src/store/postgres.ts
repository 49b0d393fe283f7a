import { PacelineError, toError } from '@paceline/model';
import { Client, Pool, type ClientBase, type ClientConfig, type PoolClient } from 'pg';
import { checkNotify, type Database, type Listener, type Row, type SqlValue, type Statement } from './database.ts';
import { BatchFailure, runBatch, type BatchPart } from './postgres-batch.ts';
import { explainPostgres, isCollision, isLoss, isRefusal, isStale } from './postgres-errors.ts';
import { keepListening } from './postgres-listener.ts';
import { prepareSession } from './postgres-session.ts';
import { rowsSeen, SqlTexts } from './postgres-sql.ts';
import { rowTypes, toWire } from './postgres-values.ts';
import { encodeText } from './stored-text.ts';

export interface PostgresOptions {
  /** The most connections for transactions and queries; who listens has one more. @default 10 */
  maxConnections?: number;
  /** How long to wait for a connection, in milliseconds. @default 10000 */
  connectTimeoutMs?: number;
  /** After this time the server gives up a statement, in milliseconds; two seconds later we give up the server. @default 30000 */
  statementTimeoutMs?: number;
  /** How often a quiet connection that listens is asked whether it is still there, in milliseconds. @default 15000 */
  pingEveryMs?: number;
  /** The channel of the notifications: servers that share a database share it. @default 'paceline' */
  channel?: string;
}

const answerGraceMs = 2000;
const idleMs = 30_000;
const attempts = 4;

/**
 * Opens a database of PostgreSQL 15 or newer, by a URL as `postgres://user:password@host:5432/name`. What it needs beside tables
 * is `LISTEN`, so a connection pooler in between has to pool sessions.
 * @throws PACELINE_STORE_FAILED when it cannot be reached, refuses the user, or is not one to store runs on
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Database> {
  const database = new PostgresDatabase(url, options);
  try {
    await database.all('SELECT 1', []);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

class PostgresDatabase implements Database {
  readonly dialect = 'postgres';
  readonly shared = true;
  readonly #config: ClientConfig;
  readonly #pool: Pool;
  readonly #options: Required<PostgresOptions>;
  readonly #texts = new SqlTexts();
  readonly #listeners = new Set<() => Promise<void>>();
  readonly #work = new Set<Promise<unknown>>();
  #isClosed = false;
  readonly #name: string;

  constructor(url: string, options: PostgresOptions) {
    this.#options = {
      maxConnections: 10,
      connectTimeoutMs: 10_000,
      statementTimeoutMs: 30_000,
      pingEveryMs: 15_000,
      channel: 'paceline',
      ...options,
    };
    this.#config = {
      connectionString: url,
      fallback_application_name: 'paceline',
      connectionTimeoutMillis: this.#options.connectTimeoutMs,
      query_timeout: this.#options.statementTimeoutMs + answerGraceMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: this.#options.connectTimeoutMs,
    };
    this.#name = nameOf(this.#config);
    this.#pool = new Pool({
      ...this.#config,
      max: this.#options.maxConnections,
      idleTimeoutMillis: idleMs,
      verify: (client, done) => void this.#verify(client, done),
    });
    // Whoever uses the connection learns of its end from its query.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  async all(sql: string, values: SqlValue[]): Promise<Row[]> {
    const query = { ...this.#texts.query(sql), values: values.map(toWire), types: rowTypes };
    return this.#whileOpen(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#use(async (client) => (await client.query<Row>(query)).rows);
        } catch (error) {
          if (attempt === attempts || !(isStale(error) || isLoss(error))) throw explainPostgres(this.#name, error);
        }
      }
    });
  }

  async transaction(statements: Statement[], notify?: string): Promise<void> {
    if (notify !== undefined) checkNotify(notify);
    const parts = this.#partsOf(statements, notify);
    if (parts.length > 0) await this.#whileOpen(() => this.#store(statements, parts));
  }

  listen(listener: Listener): Promise<() => Promise<void>> {
    const { channel, pingEveryMs } = this.#options;
    return this.#whileOpen(async () => {
      const listening = keepListening(listener, { channel, pingEveryMs, connect: () => this.#connect() });
      const end = await listening.catch((error: unknown) => {
        throw explainPostgres(this.#name, error);
      });
      this.#listeners.add(end);
      return async () => {
        this.#listeners.delete(end);
        await end();
      };
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // The pool itself would leave waiting whoever waits for a connection.
    await Promise.allSettled(this.#work);
    await Promise.all([...this.#listeners].map((end) => end()));
    if (!this.#pool.ending) await this.#pool.end();
  }

  async #store(statements: Statement[], parts: BatchPart[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#use((client) => runBatch(client, parts));
      } catch (failure) {
        const { cause, sent, at } = failure instanceof BatchFailure ? failure : new BatchFailure(failure, false, 0);
        const isUndone = isCollision(cause) || isStale(cause) || (!sent && isLoss(cause));
        if (attempt < attempts && isUndone) continue;
        throw conflict(cause, statements[at]) ?? explainPostgres(this.#name, cause, sent && !isRefusal(cause) ? 'unknown' : 'none');
      }
    }
  }

  #partsOf(statements: Statement[], notify: string | undefined): BatchPart[] {
    const parts: BatchPart[] = statements.map(({ sql, values, mustChange }) =>
      mustChange === undefined
        ? { ...this.#texts.statement(sql), values: values.map(toWire) }
        : { ...this.#texts.guarded(sql), values: [...values, mustChange].map(toWire) },
    );
    if (notify === undefined) return parts;
    return [...parts, { ...this.#texts.statement('SELECT pg_notify(?, ?)'), values: [this.#options.channel, encodeText(notify)] }];
  }

  async #whileOpen<T>(action: () => Promise<T>): Promise<T> {
    if (this.#isClosed) {
      const data = { outcome: 'none', retryable: false };
      throw new PacelineError('PACELINE_STORE_FAILED', `The database ${this.#name} is closed`, { hint: 'The server is stopping.', data });
    }
    const work = action();
    this.#work.add(work);
    try {
      return await work;
    } finally {
      this.#work.delete(work);
    }
  }

  async #use<T>(action: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    try {
      const result = await action(client);
      client.release();
      return result;
    } catch (error) {
      const cause = error instanceof BatchFailure ? error.cause : error;
      client.release(!isRefusal(cause) || isStale(cause));
      throw error;
    }
  }

  async #verify(client: ClientBase, done: (error?: Error) => void): Promise<void> {
    try {
      await prepareSession(client, this.#name, this.#options);
    } catch (error) {
      return done(toError(error));
    }
    done();
  }

  async #connect(): Promise<Client> {
    const client = new Client({ ...this.#config, query_timeout: this.#options.connectTimeoutMs });
    client.on('error', () => {});
    await client.connect();
    return client;
  }
}

/** What people may read: no password is in it. @throws PACELINE_STORE_FAILED */
function nameOf(config: ClientConfig): string {
  try {
    if (!/^postgres(ql)?:/.test(config.connectionString ?? '')) throw new Error('it does not begin with postgres://');
    const { database, host, port } = new Client(config);
    return `${database} at ${host}:${port}`;
  } catch (error) {
    throw new PacelineError('PACELINE_STORE_FAILED', `The URL of the database cannot be used: ${toError(error).message}`, {
      hint: 'Write it as postgres://user:password@host:5432/name, special characters in it percent-encoded.',
      data: { outcome: 'none', retryable: false },
    });
  }
}

function conflict(cause: unknown, statement: Statement | undefined): PacelineError | undefined {
  if (statement?.mustChange === undefined || !isRefusal(cause)) return undefined;
  const rows = rowsSeen(cause.message);
  if (rows === undefined) return undefined;
  return new PacelineError('PACELINE_CONFLICT', `The store expected ${statement.mustChange} changed rows and saw ${rows}`);
}
