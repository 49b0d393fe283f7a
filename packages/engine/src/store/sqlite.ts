import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { PacelineError } from '@paceline/model';
import { checkNotify, type Database, type Listener, type Row, type SqlValue, type Statement } from './database.ts';
import { decodeText, encodeText } from './stored-text.ts';

/** SQLite's primary result codes that mean something to people. */
const busy = 5;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;

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
  const listeners = new Set<Listener>();
  return {
    dialect: 'sqlite',
    shared: false,
    async all(sql: string, values: SqlValue[]): Promise<Row[]> {
      return explained(path, () => prepare(sql).all(...values.map(toStored)) as Row[]).map(fromStored);
    },
    async transaction(statements: Statement[], notify?: string): Promise<void> {
      if (notify !== undefined) checkNotify(notify);
      explained(path, () => runAll(database, statements, prepare));
      if (notify !== undefined) queueMicrotask(() => listeners.forEach((listener) => listener.message(notify)));
    },
    async listen(listener: Listener): Promise<() => Promise<void>> {
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
    async close(): Promise<void> {
      listeners.clear();
      database.close();
    },
  };
}

function runAll(database: DatabaseSync, statements: Statement[], prepare: (sql: string) => StatementSync): void {
  prepare('BEGIN IMMEDIATE').run();
  try {
    for (const { sql, values, mustChange } of statements) {
      const { changes } = prepare(sql).run(...values.map(toStored));
      if (mustChange !== undefined && Number(changes) !== mustChange) {
        throw new PacelineError('PACELINE_CONFLICT', `The store expected ${mustChange} changed rows and saw ${changes}`);
      }
    }
    prepare('COMMIT').run();
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function toStored(value: SqlValue): SqlValue {
  return typeof value === 'string' ? encodeText(value) : value;
}

function fromStored(row: Row): Row {
  for (const [name, value] of Object.entries(row)) if (typeof value === 'string') row[name] = decodeText(value);
  return row;
}

function explained<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw explain(path, cause);
  }
}

function explain(path: string, cause: unknown): unknown {
  const code = sqliteCode(cause);
  if (code === undefined) return cause;
  switch (code) {
    case full:
      return new PacelineError('PACELINE_STORE_FULL', `There is no space left for the database ${path}`, {
        cause,
        hint: 'Free some space; the engine goes on by itself.',
      });
    case busy:
      return new PacelineError('PACELINE_STORE_LOCKED', `Another process uses the database ${path}`, {
        cause,
        hint: 'Stop the other `paceline server`, or give this one a state directory of its own.',
      });
    case corrupt:
    case notADatabase:
      return new PacelineError('PACELINE_STORE_FAILED', `The database ${path} is damaged`, {
        cause,
        hint: 'Move the file away and start again, then run `paceline reap`: the clouds know which machines are ours.',
      });
    case cannotOpen:
      return new PacelineError('PACELINE_STORE_FAILED', `The database ${path} cannot be opened`, {
        cause,
        hint: 'Check that its folder exists and that you may write there.',
      });
    default:
      return new PacelineError('PACELINE_STORE_FAILED', `The database ${path} failed: ${String((cause as Error).message)}`, { cause });
  }
}

function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}
