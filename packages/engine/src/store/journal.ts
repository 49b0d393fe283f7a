import { applyChange } from '../run/apply.ts';
import type { Change } from '../run/change.ts';
import type { RunEvent } from '../run/event.ts';
import type { Instance } from '../run/instance.ts';
import type { LogChunk } from '../run/log.ts';
import type { Run } from '../run/run.ts';
import type { Statement } from './database.ts';
import { insertEvent, insertLog, saveFacts, saveInstance, saveParameter } from './run-rows.ts';
import type { RunStore, StoredReport } from './run-store.ts';

/** What a commit has changed in one run. */
export interface RunWrites {
  facts: boolean;
  instances: Set<Instance>;
  parameters: Map<string, { value: string | null; secret: boolean }>;
  events: RunEvent[];
  logs: LogChunk[];
  reports: StoredReport[];
}

export interface JournalListener {
  /** The writes of one run are on disk. */
  committed(run: Run, writes: RunWrites): void;
  /** The writes of a run are lost, and with them everything in memory that came after: load it again. */
  failed(run: Run, error: unknown): void;
}

/**
 * Group commit. Changes are carried out in memory at once and gathered; one transaction stores all that came in while the last
 * one was under way. Nobody hears of a change before it is stored: `stored()` resolves, and the listener is told, only then.
 */
export class Journal {
  readonly #store: RunStore;
  readonly #listener: JournalListener;
  #pending = new Map<Run, RunWrites>();
  #writing = new Map<Run, RunWrites>();
  #next = Promise.withResolvers<void>();
  #busy: Promise<void> | undefined;
  #scheduled = false;

  constructor(store: RunStore, listener: JournalListener) {
    this.#store = store;
    this.#listener = listener;
  }

  record(run: Run, changes: readonly Change[]): void {
    for (const change of changes) {
      const event = applyChange(run, change);
      const writes = this.#writesOf(run);
      if (change.kind === 'run') writes.facts = true;
      else if (change.kind === 'instance') writes.instances.add(instanceOf(run, change.name));
      else if (change.kind === 'parameter') writes.parameters.set(change.key, change);
      else if (event !== undefined) {
        writes.events.push(event);
        writes.facts = true;
      }
    }
  }

  recordLog(run: Run, chunk: LogChunk): void {
    this.#writesOf(run).logs.push(chunk);
  }

  recordReport(run: Run, report: StoredReport): void {
    this.#writesOf(run).reports.push(report);
  }

  /** True while the run in memory is ahead of the store. */
  isAhead(run: Run): boolean {
    return this.#pending.has(run) || this.#writing.has(run);
  }

  /** Resolves when everything recorded so far is stored; at once when there is nothing to store. */
  stored(): Promise<void> {
    if (this.#pending.size > 0) return this.#next.promise;
    return this.#busy ?? Promise.resolve();
  }

  #writesOf(run: Run): RunWrites {
    let writes = this.#pending.get(run);
    if (writes === undefined) {
      writes = { facts: false, instances: new Set(), parameters: new Map(), events: [], logs: [], reports: [] };
      this.#pending.set(run, writes);
      this.#schedule();
    }
    return writes;
  }

  #schedule(): void {
    if (this.#scheduled || this.#busy !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    const batch = this.#pending;
    const done = this.#next;
    this.#pending = new Map();
    this.#writing = batch;
    this.#next = Promise.withResolvers<void>();
    done.promise.catch(() => {});
    this.#busy = done.promise;
    try {
      await this.#store.write([...batch].flatMap(([run, writes]) => statementsOf(run, writes, this.#store)));
      this.#busy = undefined;
      this.#writing = new Map();
      for (const [run, writes] of batch) this.#listener.committed(run, writes);
      done.resolve();
    } catch (error) {
      // What came in meanwhile was decided on data that does not exist: it is refused with the batch.
      const later = this.#pending;
      this.#pending = new Map();
      const refused = this.#next;
      this.#next = Promise.withResolvers<void>();
      this.#busy = undefined;
      this.#writing = new Map();
      refused.promise.catch(() => {});
      for (const run of new Set([...batch.keys(), ...later.keys()])) this.#listener.failed(run, error);
      done.reject(error);
      refused.reject(error);
    }
    if (this.#pending.size > 0) this.#schedule();
  }
}

function instanceOf(run: Run, name: string): Instance {
  const instance = run.instances.get(name);
  if (instance === undefined) throw new Error(`run ${run.id} has no instance ${name}`);
  return instance;
}

function statementsOf(run: Run, writes: RunWrites, store: RunStore): Statement[] {
  const statements: Statement[] = [];
  if (writes.facts) statements.push(saveFacts(run));
  for (const instance of writes.instances) statements.push(saveInstance(run, instance));
  for (const [key, { value, secret }] of writes.parameters) statements.push(saveParameter(run, key, value, secret, store.cipher));
  for (const event of writes.events) statements.push(insertEvent(run, event));
  for (const chunk of writes.logs) statements.push(insertLog(run, chunk));
  for (const { name, instance, bytes, sha256, at } of writes.reports) {
    statements.push({
      sql: 'INSERT INTO reports (run, name, instance, bytes, sha256, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (run, name) DO UPDATE SET bytes = excluded.bytes, sha256 = excluded.sha256, at = excluded.at',
      values: [run.id, name, instance, bytes, sha256, at],
    });
  }
  return statements;
}
