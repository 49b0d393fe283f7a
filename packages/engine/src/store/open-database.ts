import type { Database } from './database.ts';

/**
 * Opens the database that a server keeps its runs in.
 * @param where the path of a SQLite file, or a URL as `postgres://user:password@host:5432/name`
 * @throws PACELINE_STORE_LOCKED, PACELINE_STORE_FULL, PACELINE_STORE_FAILED
 */
export async function openDatabase(where: string): Promise<Database> {
  // Each is loaded only where it is used: most have no PostgreSQL, and its client takes its time to load.
  if (/^postgres(ql)?:\/\//.test(where)) return (await import('./postgres.ts')).openPostgres(where);
  return (await import('./sqlite.ts')).openSqlite(where);
}
