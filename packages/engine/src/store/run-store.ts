import type { RunEvent } from '../run/event.ts';
import type { LogChunk } from '../run/log.ts';
import type { Run } from '../run/run.ts';
import type { Database, Row, Statement } from './database.ts';
import { migrate } from './migrations.ts';
import { insertRun, readEvent, readLog, readRun } from './run-rows.ts';
import type { ValueCipher } from './value-cipher.ts';

export interface RunListEntry {
  id: string;
  name: string;
  state: string;
  createdAt: number;
  createdBy: string;
  endedAt: number | null;
  tags: string[];
}

export interface StoredReport {
  name: string;
  instance: string;
  bytes: number;
  sha256: string;
  at: number;
}

/** All that the engine keeps, over any database that has the port. */
export class RunStore {
  readonly #database: Database;
  readonly cipher: ValueCipher;

  private constructor(database: Database, cipher: ValueCipher) {
    this.#database = database;
    this.cipher = cipher;
  }

  static async open(database: Database, cipher: ValueCipher): Promise<RunStore> {
    await migrate(database);
    return new RunStore(database, cipher);
  }

  write(statements: Statement[]): Promise<void> {
    return this.#database.transaction(statements);
  }

  insertRun(run: Run, tokenHash: string): Promise<void> {
    return this.write(insertRun(run, tokenHash, this.cipher));
  }

  async run(id: string): Promise<Run | undefined> {
    const [row] = await this.#database.all('SELECT * FROM runs WHERE id = ?', [id]);
    if (row === undefined) return undefined;
    const instances = await this.#database.all('SELECT data FROM instances WHERE run = ? ORDER BY position', [id]);
    const parameters = await this.#database.all('SELECT name, value, secret FROM parameters WHERE run = ?', [id]);
    return readRun(row, instances, parameters, this.cipher);
  }

  /** The ids of all runs that have not ended. */
  async activeRuns(): Promise<string[]> {
    const rows = await this.#database.all('SELECT id FROM runs WHERE ended_at IS NULL ORDER BY created_at', []);
    return rows.map((row) => String(row['id']));
  }

  /** Newest first. */
  async list({ activeOnly = false, limit = 50, offset = 0 }): Promise<RunListEntry[]> {
    const rows = await this.#database.all(
      `SELECT id, name, state, created_at, created_by, ended_at, tags FROM runs ${activeOnly ? 'WHERE ended_at IS NULL' : ''} ORDER BY created_at DESC, id LIMIT ? OFFSET ?`,
      [limit, offset],
    );
    return rows.map(listEntry);
  }

  /** The ids that begin with a text, or the runs of a name, newest first: how people name a run. */
  async find(text: string): Promise<RunListEntry[]> {
    const escaped = text.replace(/[\\%_]/g, (character) => `\\${character}`);
    const rows = await this.#database.all(
      `SELECT id, name, state, created_at, created_by, ended_at, tags FROM runs WHERE id LIKE ? ESCAPE '\\' OR name = ? ORDER BY created_at DESC LIMIT 20`,
      [`${escaped}%`, text],
    );
    return rows.map(listEntry);
  }

  async tokenHash(id: string): Promise<string | undefined> {
    const [row] = await this.#database.all('SELECT token_hash FROM runs WHERE id = ?', [id]);
    return row && String(row['token_hash']);
  }

  async events(run: string, after: number, limit: number): Promise<RunEvent[]> {
    const rows = await this.#database.all('SELECT seq, at, body FROM events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?', [
      run,
      after,
      limit,
    ]);
    return rows.map(readEvent);
  }

  async logs(run: string, after: number, limit: number): Promise<LogChunk[]> {
    const rows = await this.#database.all('SELECT * FROM logs WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?', [run, after, limit]);
    return rows.map(readLog);
  }

  /** How far each log source of a run is stored: `instance`, `source`, and the first byte that is missing. */
  async logEnds(run: string): Promise<{ instance: string; source: string; end: number; lastSeq: number }[]> {
    const rows = await this.#database.all(
      'SELECT instance, source, MAX(start + bytes) AS stored, MAX(seq) AS last FROM logs WHERE run = ? GROUP BY instance, source',
      [run],
    );
    return rows.map((row) => ({
      instance: String(row['instance']),
      source: String(row['source']),
      end: Number(row['stored']),
      lastSeq: Number(row['last']),
    }));
  }

  async reports(run: string): Promise<StoredReport[]> {
    const rows = await this.#database.all('SELECT * FROM reports WHERE run = ? ORDER BY at, name', [run]);
    return rows.map((row) => ({
      name: String(row['name']),
      instance: String(row['instance']),
      bytes: Number(row['bytes']),
      sha256: String(row['sha256']),
      at: Number(row['at']),
    }));
  }

  /** A setting that outlives the process, made on first use. */
  async setting(name: string, make: () => string): Promise<string> {
    await this.write([{ sql: 'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING', values: [name, make()] }]);
    const [row] = await this.#database.all('SELECT value FROM settings WHERE name = ?', [name]);
    return String(row?.['value']);
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

function listEntry(row: Row): RunListEntry {
  return {
    id: String(row['id']),
    name: String(row['name']),
    state: String(row['state']),
    createdAt: Number(row['created_at']),
    createdBy: String(row['created_by']),
    endedAt: row['ended_at'] === null ? null : Number(row['ended_at']),
    tags: JSON.parse(String(row['tags'])) as string[],
  };
}
