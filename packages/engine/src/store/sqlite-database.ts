import { PacelineError } from '@paceline/model';
import { checkNotify, type Database, type Listener, type Row, type SqlValue, type Statement } from './database.ts';
import { explained } from './sqlite-errors.ts';
import { decodeText, encodeText } from './stored-text.ts';

/** An open connection, of whichever driver. */
export interface SqliteConnection {
  all(sql: string, values: SqlValue[]): Row[];
  /** @returns how many rows it has changed */
  run(sql: string, values: SqlValue[]): number;
  isInTransaction(): boolean;
}

/** Where the connection comes from. */
export interface SqliteSource {
  /** For people. */
  readonly name: string;
  /** Nobody else uses the connection until the action returns. */
  use<T>(action: (connection: SqliteConnection) => T): Promise<T>;
  close(): Promise<void>;
}

/** The port over SQLite, whoever has opened it. */
export class SqliteDatabase implements Database {
  readonly dialect = 'sqlite';
  readonly shared = false;
  readonly #source: SqliteSource;
  readonly #listeners = new Set<Listener>();

  constructor(source: SqliteSource) {
    this.#source = source;
  }

  async all(sql: string, values: SqlValue[]): Promise<Row[]> {
    return this.#explained((connection) => connection.all(sql, values.map(toStored)).map(fromStored));
  }

  async transaction(statements: Statement[], notify?: string): Promise<void> {
    if (notify !== undefined) checkNotify(notify);
    await this.#explained((connection) => {
      runAll(connection, statements);
      if (notify !== undefined) queueMicrotask(() => this.#listeners.forEach((listener) => listener.message(notify)));
    });
  }

  async listen(listener: Listener): Promise<() => Promise<void>> {
    this.#listeners.add(listener);
    return async () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#source.close();
  }

  #explained<T>(action: (connection: SqliteConnection) => T): Promise<T> {
    const { name } = this.#source;
    return this.#source.use((connection) => explained(name, () => action(connection)));
  }
}

function runAll(connection: SqliteConnection, statements: Statement[]): void {
  connection.run('BEGIN IMMEDIATE', []);
  try {
    for (const { sql, values, mustChange } of statements) {
      const changes = connection.run(sql, values.map(toStored));
      if (mustChange !== undefined && changes !== mustChange) {
        throw new PacelineError('PACELINE_CONFLICT', `The store expected ${mustChange} changed rows and saw ${changes}`);
      }
    }
    connection.run('COMMIT', []);
  } catch (error) {
    if (connection.isInTransaction()) connection.run('ROLLBACK', []);
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
