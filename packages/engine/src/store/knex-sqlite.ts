import type { Database, Row, SqlValue } from './database.ts';
import { SqliteDatabase, type SqliteConnection } from './sqlite-database.ts';

/** What is used of a Knex of better-sqlite3, which has a single connection for all. */
export interface KnexSqlite {
  /** Resolves to a {@link BetterSqlite}. */
  acquireConnection(): Promise<unknown>;
  releaseConnection(connection: unknown): Promise<void>;
}

/** A connection of better-sqlite3. */
interface BetterSqlite {
  readonly name: string;
  readonly inTransaction: boolean;
  prepare(sql: string): BetterStatement;
}

interface BetterStatement {
  safeIntegers(): BetterStatement;
  all(...values: SqlValue[]): Record<string, SqlValue | bigint>[];
  run(...values: SqlValue[]): { changes: number | bigint };
}

export async function openKnexSqlite(client: KnexSqlite): Promise<Database> {
  const connections = new WeakMap<BetterSqlite, SqliteConnection>();
  async function use<T>(action: (connection: SqliteConnection) => T, see?: (connection: BetterSqlite) => void): Promise<T> {
    const acquired = (await client.acquireConnection()) as BetterSqlite;
    try {
      see?.(acquired);
      let connection = connections.get(acquired);
      if (connection === undefined) connections.set(acquired, (connection = connectionOver(acquired)));
      return action(connection);
    } finally {
      await client.releaseConnection(acquired);
    }
  }
  let name = '';
  await use(
    () => {},
    (connection) => (name = connection.name),
  );
  return new SqliteDatabase({
    name,
    use: (action) => use(action),
    // It is the turn of whoever came before.
    close: () => use(() => {}),
  });
}

function connectionOver(database: BetterSqlite): SqliteConnection {
  const prepared = new Map<string, BetterStatement>();
  const prepare = (sql: string): BetterStatement => {
    let statement = prepared.get(sql);
    if (statement === undefined) prepared.set(sql, (statement = database.prepare(sql).safeIntegers()));
    return statement;
  };
  prepare('PRAGMA foreign_keys=ON').run();
  return {
    all: (sql, values) =>
      prepare(sql)
        .all(...values)
        .map(rowOf),
    run: (sql, values) => Number(prepare(sql).run(...values).changes),
    isInTransaction: () => database.inTransaction,
  };
}

/** Numbers as numbers, and bytes as bytes. @throws RangeError for a number that would be rounded */
function rowOf(row: Record<string, SqlValue | bigint>): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, valueOf(value)]));
}

function valueOf(value: SqlValue | bigint): SqlValue {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new RangeError(`The number ${value} is too large to be read exactly`);
    return number;
  }
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}
