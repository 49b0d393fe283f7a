import { randomBytes } from 'node:crypto';
import type { AuditEntry } from '@paceline/api';
import { iso, type Database, type Row, type SqlValue, type Statement } from '@paceline/engine';

const day = 24 * 3_600_000;
/** For how long entries are kept, in milliseconds. */
export const auditKeptMs = 365 * day;
const pruneEveryMs = 3_600_000;

/** Who has asked the server for which change, and how it answered. Entries are only added, until their time is over. */
export class AuditLog {
  readonly #database: Database;
  readonly #now: () => number;
  #prunedAt = Number.NEGATIVE_INFINITY;

  /** @param database as the engine has brought it to its schema */
  constructor(database: Database, now: () => number = Date.now) {
    this.#database = database;
    this.#now = now;
  }

  /** Resolves when it is stored. */
  async add({ actor, operation, subject, status }: Omit<AuditEntry, 'id' | 'at'>): Promise<void> {
    const now = this.#now();
    const insert: Statement = {
      sql: 'INSERT INTO audit (at, id, actor, operation, subject, status) VALUES (?, ?, ?, ?, ?, ?)',
      values: [now, randomBytes(8).toString('hex'), actor, operation, subject, status],
    };
    const isTime = now - this.#prunedAt >= pruneEveryMs;
    if (isTime) this.#prunedAt = now;
    await this.#database.transaction(isTime ? [insert, { sql: 'DELETE FROM audit WHERE at < ?', values: [now - auditKeptMs] }] : [insert]);
  }

  /** The newest entries first. @param before the id of an entry: only those before it. @param limit at most so many */
  async list(before: string | undefined, limit: number): Promise<AuditEntry[]> {
    const where = before === undefined ? '' : 'WHERE at < ? OR (at = ? AND id < ?)';
    const values: SqlValue[] = before === undefined ? [] : positionOf(before);
    const rows = await this.#database.all(`SELECT * FROM audit ${where} ORDER BY at DESC, id DESC LIMIT ?`, [...values, limit]);
    return rows.map(entryOf);
  }
}

function entryOf(row: Row): AuditEntry {
  return {
    id: `${String(row['at'])}-${String(row['id'])}`,
    at: iso(Number(row['at'])),
    actor: String(row['actor']),
    operation: String(row['operation']),
    subject: String(row['subject']),
    status: Number(row['status']),
  };
}

function positionOf(entry: string): SqlValue[] {
  const [at = '', id = ''] = entry.split('-');
  return [Number(at), Number(at), id];
}
