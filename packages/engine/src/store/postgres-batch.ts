import type { ClientBase, Connection, Submittable } from 'pg';
import type { PreparedSql } from './postgres-sql.ts';

export interface BatchPart extends PreparedSql {
  values: (string | Buffer | null)[];
}

/** What a connection has been asked to prepare, by name. */
const prepared = new WeakMap<ClientBase, Set<string>>();

/** Why a batch failed, and how far it came. */
export class BatchFailure extends Error {
  /** False when nothing of it has left this process. */
  readonly sent: boolean;
  /** The index of the part that failed. */
  readonly at: number;
  override readonly cause: unknown;

  constructor(cause: unknown, sent: boolean, at: number) {
    super('The batch failed');
    this.cause = cause;
    this.sent = sent;
    this.at = at;
  }
}

/**
 * Runs all parts or none in a single round trip: between two Syncs of the extended query protocol everything is one transaction,
 * and what follows an error is skipped. Rows are not kept. (The `pipeline` option of pg sends a Sync with each statement, which
 * costs three times as much for fifty of them.)
 * @param answerMs how long the answer may take, in milliseconds
 * @throws BatchFailure
 */
export async function runBatch(client: ClientBase, parts: readonly BatchPart[], answerMs: number): Promise<void> {
  let known = prepared.get(client);
  if (known === undefined) prepared.set(client, (known = new Set()));
  const batch = new Batch(parts, known, answerMs);
  client.query(batch);
  await batch.done;
  for (const { name } of parts) if (name !== '') known.add(name);
}

class Batch implements Submittable {
  /** Read by pg. */
  readonly query_timeout: number;
  readonly #parts: readonly BatchPart[];
  readonly #known: ReadonlySet<string>;
  readonly #done = Promise.withResolvers<void>();
  #sent = false;
  #completed = 0;
  /** Replaced by pg with one that also ends its timer. */
  callback = (error: unknown): void => {
    if (error === null) this.#done.resolve();
    else this.#done.reject(new BatchFailure(error, this.#sent, this.#completed));
  };

  constructor(parts: readonly BatchPart[], known: ReadonlySet<string>, answerMs: number) {
    this.query_timeout = answerMs;
    this.#parts = parts;
    this.#known = known;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  submit(connection: Connection): void {
    this.#sent = true;
    const fresh = new Set<string>();
    connection.stream.cork();
    try {
      for (const { name, text, values } of this.#parts) {
        if (name === '' || !(this.#known.has(name) || fresh.has(name))) {
          // A batch that failed may or may not have come to prepare it; to close what is not there is no error.
          if (name !== '') connection.close({ type: 'S', name }, true);
          connection.parse({ name, text, types: [] }, true);
          fresh.add(name);
        }
        connection.bind({ statement: name, values }, true);
        connection.execute({}, true);
      }
      connection.sync();
    } finally {
      connection.stream.uncork();
    }
  }

  handleCommandComplete(): void {
    this.#completed++;
  }

  handleDataRow(): void {}

  handleEmptyQuery(): void {
    this.#completed++;
  }

  handleError(error: unknown): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(null);
  }
}
