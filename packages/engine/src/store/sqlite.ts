import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Database, Row } from './database.ts';
import { SqliteDatabase, type SqliteConnection } from './sqlite-database.ts';
import { explained } from './sqlite-errors.ts';

/**
 * Opens a SQLite file, or `:memory:`. The file belongs to this process alone until it is closed.
 * @throws PACELINE_STORE_LOCKED when another process has it open, PACELINE_STORE_FULL and PACELINE_STORE_FAILED for the disk
 */
export function openSqlite(path: string): Database {
  const database = explained(path, () => {
    const opened = new DatabaseSync(path, { timeout: 0 });
    opened.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;');
    opened.exec('BEGIN IMMEDIATE; COMMIT;');
    return opened;
  });
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = prepared.get(sql);
    if (statement === undefined) prepared.set(sql, (statement = database.prepare(sql)));
    return statement;
  };
  const connection: SqliteConnection = {
    all: (sql, values) => prepare(sql).all(...values) as Row[],
    run: (sql, values) => Number(prepare(sql).run(...values).changes),
    isInTransaction: () => database.isTransaction,
  };
  return new SqliteDatabase({
    name: path,
    use: async (action) => action(connection),
    close: async () => database.close(),
  });
}
