import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Database, Row } from './database.ts';
import { SqliteDatabase, type SqliteConnection } from './sqlite-database.ts';
import { damaged, explained } from './sqlite-errors.ts';

/** A larger file is not read through before it is used: of so many bytes that takes a second or two. */
const mostCheckedBytes = 512 * 1024 * 1024;

/**
 * Opens a SQLite file, or `:memory:`. The file belongs to this process alone until it is closed. After an end that was not its own, such as
 * a power cut, it is read through first: a page that is damaged would be met in the middle of a run otherwise.
 * @throws PACELINE_STORE_LOCKED when another process has it open, PACELINE_STORE_FULL and PACELINE_STORE_FAILED for the disk
 */
export function openSqlite(path: string): Database {
  const database = explained(path, () => {
    const isToCheck = sizeOf(`${path}-wal`) > 0 && sizeOf(path) <= mostCheckedBytes;
    const opened = new DatabaseSync(path, { timeout: 0 });
    opened.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;');
    opened.exec('BEGIN IMMEDIATE; COMMIT;');
    if (isToCheck) check(path, opened);
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

/** @throws PACELINE_STORE_FAILED when a page is damaged */
function check(path: string, database: DatabaseSync): void {
  const complaint = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})[0];
  if (complaint === 'ok') return;
  database.close();
  throw damaged(path, new Error(String(complaint)));
}

/** In bytes; 0 for what is not there. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
