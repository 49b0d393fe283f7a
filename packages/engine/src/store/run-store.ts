import { isDeepStrictEqual } from 'node:util';
import { isPacelineError, type RunPlan } from '@paceline/model';
import { withoutLost } from '../images/plan-images.ts';
import type { RunAccounts } from '../launch/other-account.ts';
import { ImageStore } from '../images/image-store.ts';
import { ModuleStore } from '../registry/module-store.ts';
import type { Instance } from '../run/instance.ts';
import type { RunEvent } from '../run/event.ts';
import type { LogChunk, LogEnd } from '../run/log.ts';
import type { StoredReport } from '../run/report.ts';
import type { Run, RunFacts } from '../run/run.ts';
import type { Database, Row, SqlValue, Statement } from './database.ts';
import { checkSchema, migrate } from './migrations.ts';
import { newsOf, readNews, type News } from './news.ts';
import { beginningOf, conditionsOf, type RunFilter } from './run-filter.ts';
import { insertRun, readEvent, readLog, readRun } from './run-rows.ts';
import { makeOwner } from './store-owner.ts';
import type { ValueCipher } from './value-cipher.ts';

export type { RunFilter } from './run-filter.ts';

export interface RunListEntry {
  id: string;
  name: string;
  state: string;
  createdAt: number;
  createdBy: string;
  project: string;
  endedAt: number | null;
  tags: string[];
}

/** A machine that costs something at this moment. */
export interface MachineInUse {
  run: string;
  project: string;
  cloud: string;
  /** Milliseconds since the epoch; null while it is being launched. */
  since: number | null;
}

/** A run that has not ended, and the replica of the engine that drives it. */
export interface OwnedRun {
  id: string;
  owner: string | null;
  revision: number;
}

/** A process that drives runs of this store. It lives as long as its `beats` grow. */
export interface Replica {
  id: string;
  /** Where the other replicas reach it. */
  url: string;
  beats: number;
}

/** All that the engine keeps, over any database that has the port. */
export class RunStore {
  readonly #database: Database;
  readonly cipher: ValueCipher;
  readonly modules: ModuleStore;
  readonly images: ImageStore;

  private constructor(database: Database, cipher: ValueCipher) {
    this.#database = database;
    this.cipher = cipher;
    this.modules = new ModuleStore(database);
    this.images = new ImageStore(database);
  }

  /**
   * @param migrates false leaves the tables to somebody else
   * @throws PACELINE_STORE_FAILED when they are not those of this version, and are left to somebody else
   */
  static async open(database: Database, cipher: ValueCipher, { migrates = true } = {}): Promise<RunStore> {
    await (migrates ? migrate(database) : checkSchema(database));
    return new RunStore(database, cipher);
  }

  /** @throws PACELINE_STORE_FAILED while there are runs or servers of an engine with another key */
  belongTo(engine: string): Promise<void> {
    const inUse = async (): Promise<boolean> => (await this.activeRuns()).length > 0 || (await this.replicas()).length > 0;
    return makeOwner(this.#database, engine, inUse);
  }

  /** Several processes may use this store at once. */
  get shared(): boolean {
    return this.#database.shared;
  }

  write(statements: Statement[]): Promise<void> {
    return this.#database.transaction(statements);
  }

  /** Stores what has happened in runs, and tells the other replicas, whose clients may follow them. */
  commit(statements: Statement[], runs: readonly string[]): Promise<void> {
    if (!this.shared || runs.length === 0) return this.write(statements);
    return this.#database.transaction(statements, newsOf({ runs: [...runs] }));
  }

  /** Tells the other replicas that there are runs to take. */
  tellReleased(): Promise<void> {
    return this.#database.transaction([], newsOf({ released: true }));
  }

  /** Hears what the replicas tell each other, this one included. @returns what ends it */
  listen(hear: (news: News) => void): Promise<() => Promise<void>> {
    if (!this.shared) return Promise.resolve(() => Promise.resolve());
    return this.#database.listen({
      message: (payload) => hear(readNews(payload)),
      gap: () => hear({ runs: 'all', released: true }),
    });
  }

  /**
   * Stores a new run with its first event. Images that have been deleted since it was planned it does not boot: it installs what they had.
   * @param owner the replica that drives it
   * @returns the run as it is stored
   */
  async insertRun(run: Run, owner: string): Promise<Run> {
    try {
      await this.write(insertRun(run, owner, this.cipher));
      return run;
    } catch (error) {
      if (!isPacelineError(error) || error.code !== 'PACELINE_CONFLICT') throw error;
      const plan = withoutLost(run.plan, await this.images.list());
      if (isDeepStrictEqual(plan, run.plan)) throw error;
      return this.insertRun({ ...run, plan }, owner);
    }
  }

  async run(id: string): Promise<Run | undefined> {
    const [row] = await this.#database.all('SELECT * FROM runs WHERE id = ?', [id]);
    if (row === undefined) return undefined;
    const instances = await this.#database.all('SELECT data FROM instances WHERE run = ? ORDER BY position', [id]);
    const parameters = await this.#database.all('SELECT name, value, secret FROM parameters WHERE run = ?', [id]);
    return readRun(row, instances, parameters, this.cipher);
  }

  /** All runs that have not ended, and which replica drives each. */
  async activeRuns(): Promise<OwnedRun[]> {
    const rows = await this.#database.all('SELECT id, owner, revision FROM runs WHERE ended_at IS NULL ORDER BY created_at, id', []);
    return rows.map(ownedRun);
  }

  /** What all runs that have not ended were planned to be. */
  async activePlans(): Promise<{ id: string; project: string; plan: RunPlan }[]> {
    const rows = await this.#database.all('SELECT id, project, plan FROM runs WHERE ended_at IS NULL ORDER BY created_at, id', []);
    return rows.map(({ id, project, plan }) => ({ id: String(id), project: String(project), plan: JSON.parse(String(plan)) as RunPlan }));
  }

  /** In which accounts runs have their machines, by cloud. @param runs their ids @default all that have not ended */
  async accounts(runs?: readonly string[]): Promise<RunAccounts[]> {
    const which = runs === undefined ? 'ended_at IS NULL' : `id IN (${runs.map(() => '?').join(', ') || 'NULL'})`;
    const rows = await this.#database.all(`SELECT id, facts FROM runs WHERE ${which} ORDER BY created_at, id`, [...(runs ?? [])]);
    return rows.map(({ id, facts }) => ({ id: String(id), accounts: (JSON.parse(String(facts)) as Partial<RunFacts>).accounts ?? {} }));
  }

  /** Who drives a run that has not ended. */
  async ownerOf(id: string): Promise<OwnedRun | undefined> {
    const [row] = await this.#database.all('SELECT id, owner, revision FROM runs WHERE id = ? AND ended_at IS NULL', [id]);
    return row && ownedRun(row);
  }

  /** Takes a run, or lets it go. @returns false when it is not any more what it was when it was looked at */
  claim({ id, revision }: OwnedRun, owner: string | null): Promise<boolean> {
    return this.#unlessChanged({
      sql: 'UPDATE runs SET owner = ?, revision = revision + 1 WHERE id = ? AND revision = ? AND ended_at IS NULL',
      values: [owner, id, revision],
      mustChange: 1,
    });
  }

  async replicas(): Promise<Replica[]> {
    const rows = await this.#database.all('SELECT id, url, beats FROM replicas', []);
    return rows.map((row) => ({ id: String(row['id']), url: String(row['url']), beats: Number(row['beats']) }));
  }

  addReplica({ id, url, beats }: Replica): Promise<void> {
    return this.write([{ sql: 'INSERT INTO replicas (id, url, beats) VALUES (?, ?, ?)', values: [id, url, beats] }]);
  }

  /** @returns false when somebody has taken this replica for dead */
  beat({ id, url, beats }: Replica): Promise<boolean> {
    return this.#unlessChanged({ sql: 'UPDATE replicas SET url = ?, beats = ? WHERE id = ?', values: [url, beats, id], mustChange: 1 });
  }

  /** Takes a replica for dead, unless it has given a sign of life. */
  buryReplica({ id, beats }: Replica): Promise<boolean> {
    return this.#unlessChanged({ sql: 'DELETE FROM replicas WHERE id = ? AND beats = ?', values: [id, beats], mustChange: 1 });
  }

  /** Newest first. */
  async list({ limit = 50, offset = 0, ...filter }: RunFilter = {}): Promise<RunListEntry[]> {
    if (filter.projects?.length === 0) return [];
    const conditions = conditionsOf(filter);
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
    const rows = await this.#database.all(
      `SELECT id, name, state, created_at, created_by, project, ended_at, tags FROM runs ${where} ORDER BY created_at DESC, id LIMIT ? OFFSET ?`,
      [...conditions.flatMap(({ values }) => values), limit, offset],
    );
    return rows.map(listEntry);
  }

  /** Who has started a run, and where it belongs. */
  async belonging(id: string): Promise<Pick<RunListEntry, 'createdBy' | 'project'> | undefined> {
    const [row] = await this.#database.all('SELECT created_by, project FROM runs WHERE id = ?', [id]);
    return row && { createdBy: String(row['created_by']), project: String(row['project']) };
  }

  /** The machines that runs which have not ended have, or are about to have. */
  async machines(): Promise<MachineInUse[]> {
    const rows = await this.#database.all(
      'SELECT runs.id, runs.project, instances.data FROM runs JOIN instances ON instances.run = runs.id WHERE runs.ended_at IS NULL',
      [],
    );
    return rows.flatMap((row) => {
      const { machine } = JSON.parse(String(row['data'])) as Instance;
      if (machine.status === 'wanted' || machine.status === 'gone') return [];
      return [{ run: String(row['id']), project: String(row['project']), cloud: machine.cloud, since: machine.launchedAt }];
    });
  }

  /** The ids that begin with a text, or the runs of a name, newest first: how people name a run. */
  async find(text: string): Promise<RunListEntry[]> {
    const rows = await this.#database.all(
      `SELECT id, name, state, created_at, created_by, project, ended_at, tags FROM runs WHERE id LIKE ? ESCAPE '\\' OR name = ?
        ORDER BY CASE WHEN id = ? THEN 0 WHEN name = ? THEN 1 ELSE 2 END, created_at DESC LIMIT 20`,
      [beginningOf(text), text, text, text],
    );
    return rows.map(listEntry);
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

  /** How much of each log source of a run is stored. */
  async logEnds(run: string): Promise<LogEnd[]> {
    const rows = await this.#database.all(
      `SELECT instance, source, MAX(start + bytes) AS stored, MAX(seq) AS last, COUNT(*) AS pieces, SUM(OCTET_LENGTH(text)) AS size
        FROM logs WHERE run = ? GROUP BY instance, source`,
      [run],
    );
    return rows.map((row) => ({
      instance: String(row['instance']),
      source: String(row['source']),
      end: Number(row['stored']),
      lastSeq: Number(row['last']),
      pieces: Number(row['pieces']),
      size: Number(row['size']),
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

  /** Some runs that ended before a time, in milliseconds since the epoch. @param skip so many of the oldest are left out */
  async endedBefore(time: number, skip: number): Promise<string[]> {
    return this.#ids('SELECT id FROM runs WHERE ended_at < ? ORDER BY ended_at, id LIMIT 50 OFFSET ?', [time, skip]);
  }

  /** Some runs that ended before a time and still have something in a table. */
  async endedWith(table: 'logs' | 'reports', time: number, skip: number): Promise<string[]> {
    return this.#ids(
      `SELECT id FROM runs WHERE ended_at < ? AND EXISTS (SELECT 1 FROM ${table} WHERE run = runs.id) ORDER BY ended_at, id LIMIT 50 OFFSET ?`,
      [time, skip],
    );
  }

  /** Removes what a run has in a table, in small transactions. */
  async forget(table: 'logs' | 'reports' | 'events', run: string): Promise<void> {
    const key = table === 'reports' ? 'name' : 'seq';
    const some = `SELECT ${key} FROM ${table} WHERE run = ? ORDER BY ${key} LIMIT 500`;
    while ((await this.#database.all(some, [run])).length > 0) {
      await this.write([{ sql: `DELETE FROM ${table} WHERE run = ? AND ${key} IN (${some})`, values: [run, run] }]);
    }
  }

  async forgetRun(run: string): Promise<void> {
    for (const table of ['logs', 'events', 'reports'] as const) await this.forget(table, run);
    await this.write([{ sql: 'DELETE FROM runs WHERE id = ?', values: [run] }]);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async #ids(sql: string, values: SqlValue[]): Promise<string[]> {
    return (await this.#database.all(sql, values)).map((row) => String(row['id']));
  }

  async #unlessChanged(statement: Statement): Promise<boolean> {
    try {
      await this.write([statement]);
      return true;
    } catch (error) {
      if (isPacelineError(error) && error.code === 'PACELINE_CONFLICT') return false;
      throw error;
    }
  }
}

function ownedRun(row: Row): OwnedRun {
  const owner = row['owner'];
  return { id: String(row['id']), owner: typeof owner === 'string' ? owner : null, revision: Number(row['revision']) };
}

function listEntry(row: Row): RunListEntry {
  return {
    id: String(row['id']),
    name: String(row['name']),
    state: String(row['state']),
    createdAt: Number(row['created_at']),
    createdBy: String(row['created_by']),
    project: String(row['project']),
    endedAt: row['ended_at'] === null ? null : Number(row['ended_at']),
    tags: JSON.parse(String(row['tags'])) as string[],
  };
}
