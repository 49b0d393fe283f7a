import { PacelineError } from '@paceline/model';

/** SQLite's primary result codes that mean something to people. */
const busy = 5;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notADatabase = 26;
const byName: Partial<Record<string, number>> = { BUSY: busy, CORRUPT: corrupt, FULL: full, CANTOPEN: cannotOpen, NOTADB: notADatabase };

/** Runs what may fail, and says of a failure of SQLite what it means. @param name of the database, for people */
export function explained<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw explain(name, cause);
  }
}

function explain(name: string, cause: unknown): unknown {
  const code = sqliteCode(cause);
  if (code === undefined) return cause;
  switch (code) {
    case full:
      return new PacelineError('PACELINE_STORE_FULL', `There is no space left for the database ${name}`, {
        cause,
        hint: 'Free some space; the engine goes on by itself.',
      });
    case busy:
      return new PacelineError('PACELINE_STORE_LOCKED', `Another process uses the database ${name}`, {
        cause,
        hint: 'Stop the other `paceline server`, or give this one a state directory of its own.',
      });
    case corrupt:
    case notADatabase:
      return damaged(name, cause);
    case cannotOpen:
      return new PacelineError('PACELINE_STORE_FAILED', `The database ${name} cannot be opened`, {
        cause,
        hint: 'Check that its folder exists and that you may write there.',
      });
    default:
      return new PacelineError('PACELINE_STORE_FAILED', `The database ${name} failed: ${String((cause as Error).message)}`, { cause });
  }
}

/** @param cause what says so */
export function damaged(name: string, cause: unknown): PacelineError {
  return new PacelineError('PACELINE_STORE_FAILED', `The database ${name} is damaged`, {
    cause,
    hint: 'Move the file away and start again, then run `paceline reap`: the clouds know which machines are ours.',
  });
}

/** The primary result code, which `node:sqlite` gives as a number and better-sqlite3 as a name. */
function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return error.errcode & 0xff;
  if (!('code' in error) || typeof error.code !== 'string' || !error.code.startsWith('SQLITE_')) return undefined;
  const [, name = ''] = error.code.split('_');
  return byName[name] ?? 0;
}
