import { callbackify } from 'node:util';
import { PacelineError, toError } from '@paceline/model';
import { Client, Pool, type ClientBase, type ClientConfig, type PoolClient } from 'pg';
import type { Database } from './database.ts';
import type { PostgresConnections } from './postgres-connections.ts';
import { defaultTimes, PostgresDatabase, type PostgresTimes } from './postgres-database.ts';
import { prepareSession } from './postgres-session.ts';

export interface PostgresOptions extends Partial<PostgresTimes> {
  /** The most connections for transactions and queries; who listens has one more. @default 10 */
  maxConnections?: number;
  /** The channel of the notifications: servers that share a database share it. @default 'paceline' */
  channel?: string;
}

const idleMs = 30_000;

/**
 * Opens a database of PostgreSQL 15 or newer, by a URL as `postgres://user:password@host:5432/name`. What it needs beside tables
 * is `LISTEN`, so a connection pooler in between has to pool sessions.
 * @throws PACELINE_STORE_FAILED when it cannot be reached, refuses the user, or is not one to store runs on
 */
export async function openPostgres(url: string, options: PostgresOptions = {}): Promise<Database> {
  const { maxConnections = 10, channel = 'paceline', ...given } = options;
  const times = { ...defaultTimes, ...given };
  const database = new PostgresDatabase(new OwnConnections(url, maxConnections, times), times, channel);
  try {
    await database.all('SELECT 1', []);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

/** Connections by a URL, in a pool of our own. */
class OwnConnections implements PostgresConnections {
  readonly name: string;
  readonly #config: ClientConfig;
  readonly #pool: Pool;

  constructor(url: string, max: number, times: PostgresTimes) {
    this.#config = {
      connectionString: url,
      fallback_application_name: 'paceline',
      connectionTimeoutMillis: times.connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: times.connectTimeoutMs,
    };
    this.name = nameOf(this.#config);
    this.#pool = new Pool({
      ...this.#config,
      max,
      idleTimeoutMillis: idleMs,
      verify: (client, done) => callbackify(() => prepareSession(client, this.name, times))((error) => done(error ?? undefined)),
    });
    // Whoever uses the connection learns of its end from its query.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  acquire(): Promise<PoolClient> {
    return this.#pool.connect();
  }

  async release(client: ClientBase, isBroken: boolean): Promise<void> {
    (client as PoolClient).release(isBroken);
  }

  async connect(): Promise<Client> {
    const client = new Client(this.#config);
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async close(): Promise<void> {
    if (!this.#pool.ending) await this.#pool.end();
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
