import type { Client } from 'pg';
import type { Database } from './database.ts';
import { drop, type PostgresConnections } from './postgres-connections.ts';
import { defaultTimes, PostgresDatabase } from './postgres-database.ts';
import { prepareSession } from './postgres-session.ts';

/** What is used of a Knex of pg. */
export interface KnexPostgres {
  /** Resolves to a client of its pool. */
  acquireConnection(): Promise<unknown>;
  releaseConnection(connection: unknown): Promise<void>;
  /** Resolves to a client that is not in its pool, with the search path of the others. */
  acquireRawConnection(): Promise<unknown>;
}

export async function openKnexPostgres(knex: KnexPostgres): Promise<Database> {
  const first = (await knex.acquireConnection()) as Client;
  const name = `${first.database} at ${first.host}:${first.port}`;
  await knex.releaseConnection(first);
  const database = new PostgresDatabase(new KnexConnections(name, knex), defaultTimes, 'paceline');
  await database.all('SELECT 1', []);
  return database;
}

/** The connections of a Knex. It belongs to somebody else, who closes it. */
class KnexConnections implements PostgresConnections {
  readonly name: string;
  readonly #knex: KnexPostgres;
  /** Of the connections that are ready for use: their end. */
  readonly #ends = new WeakMap<Client, Promise<void>>();

  constructor(name: string, knex: KnexPostgres) {
    this.name = name;
    this.#knex = knex;
  }

  async acquire(): Promise<Client> {
    const client = (await this.#knex.acquireConnection()) as Client;
    if (this.#ends.has(client)) return client;
    this.#ends.set(client, new Promise((resolve) => client.once('end', () => resolve())));
    try {
      await prepareSession(client, this.name, defaultTimes);
    } catch (error) {
      await this.release(client, true);
      throw error;
    }
    return client;
  }

  async release(client: Client, isBroken: boolean): Promise<void> {
    if (isBroken) {
      drop(client);
      // Knex hands out no connection that it has seen the end of.
      await this.#ends.get(client);
    }
    await this.#knex.releaseConnection(client);
  }

  async connect(): Promise<Client> {
    return (await this.#knex.acquireRawConnection()) as Client;
  }

  async close(): Promise<void> {}
}
