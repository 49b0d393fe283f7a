import { isPacelineError, PacelineError, toError, type ErrorCode } from '@paceline/model';
import type { DatabaseError } from 'pg';

/** What became of the transaction that failed; see the port. */
export type Outcome = 'none' | 'unknown';

interface Explanation {
  code?: ErrorCode;
  /** Follows "The database NAME at HOST". */
  text: string;
  hint: string;
  retryable: boolean;
}

const goesOn = 'The server goes on by itself once the database is there again.';

const bySqlState: Record<string, Explanation> = {
  '28P01': { text: 'refused the password', hint: 'Check the user and the password in the URL of the database.', retryable: false },
  '28000': {
    text: 'does not let this user in',
    hint: 'Check the user in the URL of the database, and which hosts and users pg_hba.conf lets in, with or without TLS.',
    retryable: false,
  },
  '3D000': { text: 'does not exist', hint: 'Create it: `createdb --encoding=UTF8 --template=template0 NAME`.', retryable: false },
  '42501': {
    text: 'does not allow this user to make or use our tables',
    hint: 'Make the user its owner: `ALTER DATABASE name OWNER TO user`.',
    retryable: false,
  },
  '53100': {
    code: 'PACELINE_STORE_FULL',
    text: 'has no space left',
    hint: 'Free some space on its host; the server goes on by itself.',
    retryable: true,
  },
  '53300': {
    text: 'has no connection left for us',
    hint: 'Raise max_connections there, or let each server use fewer connections.',
    retryable: true,
  },
  '57P01': { text: 'is shutting down', hint: goesOn, retryable: true },
  '57P02': { text: 'has crashed', hint: goesOn, retryable: true },
  '57P03': { text: 'is starting, recovering or shutting down', hint: goesOn, retryable: true },
  '57014': { text: 'took too long', hint: 'Look for load or for locks on its host: `SELECT * FROM pg_stat_activity`.', retryable: true },
  '25006': { text: 'is a read-only replica', hint: 'Let the URL name the primary server.', retryable: true },
  '40001': { text: 'stayed in each other’s way with other transactions', hint: 'Try again.', retryable: true },
  '40P01': { text: 'stayed in each other’s way with other transactions', hint: 'Try again.', retryable: true },
};

const unreachable = { hint: 'Check the host and the port in its URL, that it runs, and that a firewall lets us through.', retryable: true };

const bySystemError: Record<string, Explanation> = {
  ECONNREFUSED: { text: 'does not answer: nothing listens there', ...unreachable },
  ENOENT: { text: 'does not answer: there is no such socket', ...unreachable },
  EACCES: { text: 'cannot be reached: the socket is not ours to use', ...unreachable, retryable: false },
  ENOTFOUND: { text: 'cannot be reached: the name of its host is not known', ...unreachable },
  EAI_AGAIN: { text: 'cannot be reached: the name of its host cannot be looked up now', ...unreachable },
  EHOSTUNREACH: { text: 'cannot be reached: there is no route to its host', ...unreachable },
  ENETUNREACH: { text: 'cannot be reached: there is no route to its network', ...unreachable },
  ETIMEDOUT: { text: 'cannot be reached: its host does not answer', ...unreachable },
};

const lossPattern = /connection terminated|not queryable|ECONNRESET|EPIPE/i;

/** How pg, which has no codes for them, words what it notices itself. */
const byMessage: [RegExp, Explanation][] = [
  [/connection timeout|timeout expired/i, { text: 'cannot be reached: it does not answer in time', ...unreachable }],
  [
    /timeout exceeded when trying to connect/i,
    { text: 'is too slow: all our connections to it are in use', hint: 'Look for load or for locks on its host.', retryable: true },
  ],
  [/query read timeout/i, { text: 'does not answer in time', hint: goesOn, retryable: true }],
  [lossPattern, { text: 'has ended the connection', hint: goesOn, retryable: true }],
  [
    /SSL|TLS|certificate/i,
    {
      text: 'cannot be reached safely',
      hint: 'Check `sslmode` in its URL, and name the authority that signed its certificate with `sslrootcert`.',
      retryable: false,
    },
  ],
];

/** Any error of pg as one of ours. The name of the database has no password in it. */
export function explainPostgres(name: string, cause: unknown, outcome: Outcome = 'none'): PacelineError {
  if (isPacelineError(cause)) return cause;
  const message = toError(cause).message;
  const found = explanationOf(cause, message);
  const retryable = found?.retryable ?? outcome === 'unknown';
  return new PacelineError(found?.code ?? 'PACELINE_STORE_FAILED', `The database ${name} ${found?.text ?? 'failed'}: ${message}`, {
    cause,
    ...(found && { hint: found.hint }),
    data: { outcome, retryable },
  });
}

function explanationOf(cause: unknown, message: string): Explanation | undefined {
  const code = codeOf(cause);
  if (isOfServer(cause)) return bySqlState[code];
  return bySystemError[code] ?? byMessage.find(([pattern]) => pattern.test(`${code} ${message}`))?.[1];
}

/** What the server said, whichever copy of pg has read it: a program that we are part of brings its own. */
function isOfServer(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && typeof error.severity === 'string';
}

/** The SQLSTATE of what the server said, or the code of what the operating system said. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** The server refused a statement: nothing of its transaction is stored, and the connection is still there. */
export function isRefusal(error: unknown): error is DatabaseError {
  return isOfServer(error) && error.severity === 'ERROR';
}

/** The connection is gone, as happens to idle ones when the server has been started anew. */
export function isLoss(error: unknown): boolean {
  if (isOfServer(error)) return error.severity === 'FATAL' && ['57P01', '57P02'].includes(codeOf(error));
  return lossPattern.test(`${codeOf(error)} ${toError(error).message}`);
}

/** What this connection has prepared is not there any more, or does not fit tables that have changed. */
export function isStale(error: unknown): boolean {
  return ['0A000', '26000', '42P05'].includes(codeOf(error));
}

/** Transactions were in each other's way, and the server chose this one to give up. */
export function isCollision(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error));
}
