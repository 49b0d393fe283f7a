import { PacelineError } from '@paceline/model';
import { encodeText } from './stored-text.ts';

/** One SQL statement with `?` for its values. */
export interface Statement {
  sql: string;
  values: SqlValue[];
  /**
   * The number of rows it has to change; another number fails the whole transaction (a lease that was lost). For `INSERT`,
   * `UPDATE` and `DELETE` without `RETURNING`.
   */
  mustChange?: number;
}

/** Strings may hold any UTF-16 unit, numbers are safe integers or fractions. */
export type SqlValue = string | number | null | Uint8Array;
export type Row = Record<string, SqlValue>;

/** What is told to who listens. Neither may throw. */
export interface Listener {
  /** A transaction that sent this is stored. Those of one database come in the order in which they were stored. */
  message(payload: string): void;
  /** The connection was lost and is there again: messages may be missing, so look at what is stored. */
  gap(): void;
}

/**
 * The port to an SQL database. Small enough for `node:sqlite`, PostgreSQL and Backstage's Knex: text with `?`, rows out, and
 * transactions that are lists of statements.
 *
 * An error has `data.outcome`: `none` when nothing was stored, or `unknown` when the connection was lost before the answer
 * came; then all of it is stored, will be in a moment, or nothing is. Without `data.outcome` nothing was stored.
 * `data.retryable` says that the same may go well later.
 */
export interface Database {
  readonly dialect: 'sqlite' | 'postgres';
  /** Several processes may use it at once. */
  readonly shared: boolean;
  all(sql: string, values: SqlValue[]): Promise<Row[]>;
  /**
   * Runs all statements or none, and resolves when the result is on disk.
   * @param notify is told to everybody who listens, in this process too, once the transaction is stored; see {@link maxNotifyBytes}
   * @throws PACELINE_CONFLICT when a statement changed another number of rows than it must
   */
  transaction(statements: Statement[], notify?: string): Promise<void>;
  /** Resolves, once nothing that is sent from now on is missed, to what ends it. Of SQLite, only this process can send. */
  listen(listener: Listener): Promise<() => Promise<void>>;
  /** Ends what listens, and resolves when the transactions under way have ended. */
  close(): Promise<void>;
}

/** The most bytes that a notification may have, as UTF-8: PostgreSQL carries no more. */
export const maxNotifyBytes = 7999;

/** @throws PACELINE_TOO_LARGE */
export function checkNotify(payload: string): void {
  const bytes = Buffer.byteLength(encodeText(payload));
  if (bytes <= maxNotifyBytes) return;
  throw new PacelineError('PACELINE_TOO_LARGE', `A notification of ${bytes} bytes is too long: at most ${maxNotifyBytes} fit`);
}
