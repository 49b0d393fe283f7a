import { PacelineError } from '@paceline/model';
import type { Database } from './database.ts';
import type { KnexSqlite } from './knex-sqlite.ts';
import type { KnexPostgres } from './knex-postgres.ts';

/** As much of Knex as is used of it: its pool of connections, and what kind they are. */
export interface KnexLike {
  client: { driverName: string } & KnexSqlite & KnexPostgres;
}

/**
 * The database of a program that the engine is part of, by its Knex: of better-sqlite3, or of PostgreSQL 15 or newer. To close it
 * leaves the Knex open.
 * @throws PACELINE_STORE_FAILED for other databases, and when it is not one to store runs on
 */
export async function openKnex({ client }: KnexLike): Promise<Database> {
  switch (client.driverName) {
    case 'better-sqlite3':
      return (await import('./knex-sqlite.ts')).openKnexSqlite(client);
    case 'pg':
      return (await import('./knex-postgres.ts')).openKnexPostgres(client);
    default:
      throw new PacelineError('PACELINE_STORE_FAILED', `Runs cannot be stored in a database of ${client.driverName}`, {
        hint: 'Use PostgreSQL (`client: pg`), or `client: better-sqlite3` for development.',
        data: { outcome: 'none', retryable: false },
      });
  }
}
