import { PacelineError } from '@paceline/model';
import type { ClientBase } from 'pg';
import { checkNotify, type Database, type Listener, type Row, type SqlValue, type Statement } from './database.ts';
import { BatchFailure, runBatch, type BatchPart } from './postgres-batch.ts';
import { answerGraceMs, type PostgresConnections } from './postgres-connections.ts';
import { explainPostgres, isCollision, isLoss, isRefusal, isStale } from './postgres-errors.ts';
import { keepListening } from './postgres-listener.ts';
import { rowsSeen, SqlTexts } from './postgres-sql.ts';
import { rowTypes, toWire } from './postgres-values.ts';
import { encodeText } from './stored-text.ts';

export interface PostgresTimes {
  /** How long to wait for a connection, in milliseconds. */
  connectTimeoutMs: number;
  /** After this time the server gives up a statement, in milliseconds; two seconds later we give up the server. */
  statementTimeoutMs: number;
  /** How often a quiet connection that listens is asked whether it is still there, in milliseconds. */
  pingEveryMs: number;
}

export const defaultTimes: PostgresTimes = { connectTimeoutMs: 10_000, statementTimeoutMs: 30_000, pingEveryMs: 15_000 };

const attempts = 4;

/** The port over PostgreSQL, whoever makes the connections. */
export class PostgresDatabase implements Database {
  readonly dialect = 'postgres';
  readonly shared = true;
  readonly #connections: PostgresConnections;
  readonly #times: PostgresTimes;
  readonly #channel: string;
  readonly #texts = new SqlTexts();
  readonly #listeners = new Set<() => Promise<void>>();
  readonly #work = new Set<Promise<unknown>>();
  #isClosed = false;

  /** @param channel of the notifications: servers that share a database share it */
  constructor(connections: PostgresConnections, times: PostgresTimes, channel: string) {
    this.#connections = connections;
    this.#times = times;
    this.#channel = channel;
  }

  async all(sql: string, values: SqlValue[]): Promise<Row[]> {
    const query = { ...this.#texts.query(sql), values: values.map(toWire), types: rowTypes, query_timeout: this.#answerMs };
    return this.#whileOpen(async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#use(async (client) => (await client.query<Row>(query)).rows);
        } catch (error) {
          if (attempt === attempts || !(isStale(error) || isLoss(error))) throw explainPostgres(this.#connections.name, error);
        }
      }
    });
  }

  async transaction(statements: Statement[], notify?: string): Promise<void> {
    if (notify !== undefined) checkNotify(notify);
    const parts = this.#partsOf(statements, notify);
    if (parts.length > 0) await this.#whileOpen(() => this.#store(statements, parts));
  }

  listen(listener: Listener): Promise<() => Promise<void>> {
    const { connectTimeoutMs: answerMs, pingEveryMs } = this.#times;
    return this.#whileOpen(async () => {
      const listening = keepListening(listener, {
        channel: this.#channel,
        pingEveryMs,
        answerMs,
        connect: () => this.#connections.connect(),
      });
      const end = await listening.catch((error: unknown) => {
        throw explainPostgres(this.#connections.name, error);
      });
      this.#listeners.add(end);
      return async () => {
        this.#listeners.delete(end);
        await end();
      };
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    // A pool would leave waiting whoever waits for a connection.
    await Promise.allSettled(this.#work);
    await Promise.all([...this.#listeners].map((end) => end()));
    await this.#connections.close();
  }

  async #store(statements: Statement[], parts: BatchPart[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#use((client) => runBatch(client, parts, this.#answerMs));
      } catch (failure) {
        const { cause, sent, at } = failure instanceof BatchFailure ? failure : new BatchFailure(failure, false, 0);
        const isUndone = isCollision(cause) || isStale(cause) || (!sent && isLoss(cause));
        if (attempt < attempts && isUndone) continue;
        throw (
          conflict(cause, statements[at]) ?? explainPostgres(this.#connections.name, cause, sent && !isRefusal(cause) ? 'unknown' : 'none')
        );
      }
    }
  }

  #partsOf(statements: Statement[], notify: string | undefined): BatchPart[] {
    const parts: BatchPart[] = statements.map(({ sql, values, mustChange }) =>
      mustChange === undefined
        ? { ...this.#texts.statement(sql), values: values.map(toWire) }
        : { ...this.#texts.guarded(sql), values: [...values, mustChange].map(toWire) },
    );
    if (notify === undefined) return parts;
    return [...parts, { ...this.#texts.statement('SELECT pg_notify(?, ?)'), values: [this.#channel, encodeText(notify)] }];
  }

  async #whileOpen<T>(action: () => Promise<T>): Promise<T> {
    if (this.#isClosed) {
      const data = { outcome: 'none', retryable: false };
      throw new PacelineError('PACELINE_STORE_FAILED', `The database ${this.#connections.name} is closed`, {
        hint: 'The server is stopping.',
        data,
      });
    }
    const work = action();
    this.#work.add(work);
    try {
      return await work;
    } finally {
      this.#work.delete(work);
    }
  }

  get #answerMs(): number {
    return this.#times.statementTimeoutMs + answerGraceMs;
  }

  async #use<T>(action: (client: ClientBase) => Promise<T>): Promise<T> {
    const client = await this.#connections.acquire();
    let isBroken = false;
    try {
      return await action(client);
    } catch (error) {
      const cause = error instanceof BatchFailure ? error.cause : error;
      isBroken = !isRefusal(cause) || isStale(cause);
      throw error;
    } finally {
      await this.#connections.release(client, isBroken);
    }
  }
}

function conflict(cause: unknown, statement: Statement | undefined): PacelineError | undefined {
  if (statement?.mustChange === undefined || !isRefusal(cause)) return undefined;
  const rows = rowsSeen(cause.message);
  if (rows === undefined) return undefined;
  return new PacelineError('PACELINE_CONFLICT', `The store expected ${statement.mustChange} changed rows and saw ${rows}`);
}
