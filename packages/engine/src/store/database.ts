/** One SQL statement with `?` for its values. */
export interface Statement {
  sql: string;
  values: SqlValue[];
  /** The number of rows it has to change; another number fails the whole transaction (a lease that was lost). */
  mustChange?: number;
}

export type SqlValue = string | number | null | Uint8Array;
export type Row = Record<string, SqlValue>;

/**
 * The port to an SQL database. Small enough for `node:sqlite`, PostgreSQL and Backstage's Knex: text with `?`, rows out, and
 * transactions that are lists of statements.
 */
export interface Database {
  readonly dialect: 'sqlite' | 'postgres';
  all(sql: string, values: SqlValue[]): Promise<Row[]>;
  /** Runs all statements or none, and resolves when the result is on disk. */
  transaction(statements: Statement[]): Promise<void>;
  close(): Promise<void>;
}
