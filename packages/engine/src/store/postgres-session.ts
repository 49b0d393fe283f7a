import { PacelineError } from '@paceline/model';
import type { ClientBase } from 'pg';
import { answerGraceMs } from './postgres-connections.ts';

export interface ServerFacts {
  /** As 150004 for 15.4. */
  version: number;
  encoding: string;
  read_only: string;
}

export interface SessionTimeouts {
  statementTimeoutMs: number;
}

const oldest = 15;

/**
 * Sets what a transaction relies on, for the connection alone: a commit is on disk when it is answered, unless the database asks
 * for even more, and nothing takes for ever. Set here and not at the start, where connection poolers refuse it.
 * @throws PACELINE_STORE_FAILED when the server is not one to store runs on
 */
export async function prepareSession(client: ClientBase, name: string, { statementTimeoutMs }: SessionTimeouts): Promise<void> {
  const query = {
    text: `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_encoding') AS encoding,
      current_setting('transaction_read_only') AS read_only,
      set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
      set_config('statement_timeout', $1, false), set_config('idle_in_transaction_session_timeout', $1, false)`,
    values: [String(statementTimeoutMs)],
    query_timeout: statementTimeoutMs + answerGraceMs,
  };
  const { rows } = await client.query<ServerFacts>(query);
  for (const facts of rows) checkServer(name, facts);
}

/** @throws PACELINE_STORE_FAILED */
export function checkServer(name: string, { version, encoding, read_only: readOnly }: ServerFacts): void {
  const refuse = (text: string, hint: string, retryable: boolean): never => {
    throw new PacelineError('PACELINE_STORE_FAILED', `The database ${name} ${text}`, { hint, data: { outcome: 'none', retryable } });
  };
  const major = Math.floor(version / 10_000);
  if (major < oldest) refuse(`is PostgreSQL ${major}, which is too old`, `Use PostgreSQL ${oldest} or newer.`, false);
  if (encoding !== 'UTF8') {
    refuse(
      `keeps text as ${encoding}, which has no room for all characters`,
      'Create one with `createdb --encoding=UTF8 --template=template0 NAME`.',
      false,
    );
  }
  if (readOnly === 'on') refuse('is a read-only replica', 'Let the URL name the primary server.', true);
}
