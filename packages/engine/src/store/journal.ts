import { isPacelineError, PacelineError } from '@paceline/model';
import type { Clock } from '../clock.ts';
import { insertImage, type BuiltImage } from '../images/image-store.ts';
import { applyChange, instanceOf } from '../run/apply.ts';
import type { Change } from '../run/change.ts';
import type { RunEvent } from '../run/event.ts';
import type { Instance } from '../run/instance.ts';
import type { LogChunk } from '../run/log.ts';
import type { StoredReport } from '../run/report.ts';
import type { Parameter, Run, RunFacts, RunView } from '../run/run.ts';
import type { Statement } from './database.ts';
import { endBuild, insertEvent, insertInstance, insertLog, insertReport, saveFacts, saveInstance, saveParameter } from './run-rows.ts';
import type { RunStore } from './run-store.ts';

/** What a commit has changed in one run. */
export interface RunWrites {
  /** The run's facts as they are stored now, when the commit has changed them. */
  facts: RunFacts | undefined;
  instances: Set<Instance>;
  /** Those that are new, with their places among the run's instances. */
  newcomers: Map<Instance, number>;
  parameters: Map<string, { value: string | null; secret: boolean }>;
  events: RunEvent[];
  logs: LogChunk[];
  reports: StoredReport[];
  images: BuiltImage[];
}

export interface JournalListener {
  /** The writes of one run are on disk. */
  committed(run: Run, writes: RunWrites): void;
  /** The writes of a run are lost, and with them everything in memory that came after: load it again. */
  failed(run: Run, error: unknown): void;
}

interface Entry {
  writes: RunWrites;
  /** What the parameters that are written here were before. */
  before: Map<string, Parameter | undefined>;
  done: PromiseWithResolvers<void>;
}

/**
 * Group commit. Changes are carried out in memory at once and gathered; one transaction stores all that came in while the last
 * one was under way. Nobody hears of a change before it is stored: `stored()` resolves, and the listener is told, only then.
 */
export class Journal {
  readonly #store: RunStore;
  readonly #clock: Clock;
  readonly #listener: JournalListener;
  #pending = new Map<Run, Entry>();
  #writing = new Map<Run, Entry>();
  #scheduled = false;

  constructor(store: RunStore, clock: Clock, listener: JournalListener) {
    this.#store = store;
    this.#clock = clock;
    this.#listener = listener;
  }

  record(run: Run, changes: readonly Change[]): void {
    for (const change of changes) this.#record(run, change);
  }

  /** True while the run in memory is ahead of the store. */
  isAhead(run: Run): boolean {
    return this.#pending.has(run) || this.#writing.has(run);
  }

  /** Resolves when everything recorded of the run so far is stored; at once when there is nothing to store. */
  stored(run: Run): Promise<void> {
    return (this.#pending.get(run) ?? this.#writing.get(run))?.done.promise ?? Promise.resolve();
  }

  /** The run with its parameters as they are stored, for a listener that is told of a commit while the next one gathers. */
  storedView(run: Run): RunView {
    const before = this.#pending.get(run)?.before;
    if (before === undefined || before.size === 0) return run;
    const { parameters } = run;
    return { ...run, parameters: { get: (key) => (before.has(key) ? before.get(key) : parameters.get(key)) } };
  }

  /** Resolves when nothing is left to store, whether that went well or not. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0 || this.#writing.size > 0) {
      await Promise.allSettled([...this.#pending.values(), ...this.#writing.values()].map(({ done }) => done.promise));
    }
  }

  #record(run: Run, change: Change): void {
    const { writes, before } = this.#entryOf(run);
    if (change.kind === 'parameter' && !before.has(change.key)) before.set(change.key, run.parameters.get(change.key));
    const event = applyChange(run, change);
    switch (change.kind) {
      case 'run':
        writes.facts = run.facts;
        break;
      case 'newcomer':
        writes.newcomers.set(change.instance, run.instances.size - 1);
        break;
      case 'instance':
      case 'machine':
        writes.instances.add(instanceOf(run, change.name));
        break;
      case 'parameter':
        writes.parameters.set(change.key, change);
        break;
      case 'event':
        writes.facts = run.facts;
        if (event !== undefined) writes.events.push(event);
        break;
      case 'log':
        writes.logs.push(change.chunk);
        break;
      case 'report':
        writes.reports.push(change.report);
        break;
      case 'image':
        writes.images.push(change.image);
        break;
    }
  }

  #entryOf(run: Run): Entry {
    let entry = this.#pending.get(run);
    if (entry === undefined) {
      const writes = {
        facts: undefined,
        instances: new Set<Instance>(),
        newcomers: new Map(),
        parameters: new Map(),
        events: [],
        logs: [],
        reports: [],
        images: [],
      };
      entry = { writes, before: new Map(), done: Promise.withResolvers<void>() };
      entry.done.promise.catch(() => {});
      this.#pending.set(run, entry);
      this.#schedule();
    }
    return entry;
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing.size > 0) return;
    this.#scheduled = true;
    this.#clock.soon(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    const batch = this.#pending;
    this.#pending = new Map();
    this.#writing = batch;
    const tell = [...batch].flatMap(([{ id }, { writes }]) => (writes.events.length + writes.logs.length > 0 ? [id] : []));
    const failures = await this.#write(batch, tell);
    this.#writing = new Map();
    for (const [run, entry] of batch) {
      if (failures.has(run)) this.#fail(run, entry, failures.get(run));
      else this.#succeed(run, entry);
    }
    if (this.#pending.size > 0) this.#schedule();
  }

  /** Stores all, or, when that fails, each run by itself: one that cannot be stored, or written out, takes no other with it. */
  async #write(batch: ReadonlyMap<Run, Entry>, tell: string[]): Promise<Map<Run, unknown>> {
    const failures = new Map<Run, unknown>();
    const statements = new Map<Run, Statement[]>();
    for (const [run, { writes }] of batch) {
      try {
        statements.set(run, statementsOf(run, writes, this.#store));
      } catch (error) {
        failures.set(run, error);
      }
    }
    if (statements.size === 0) return failures;
    try {
      await this.#store.commit([...statements.values()].flat(), tell);
      return failures;
    } catch (error) {
      // A database that is away takes none of them; otherwise it may be one run that cannot be stored.
      if (statements.size === 1 || (isPacelineError(error) && error.data['retryable'] === true)) {
        for (const run of statements.keys()) failures.set(run, error);
        return failures;
      }
    }
    for (const [run, own] of statements) await this.#store.commit(own, [run.id]).catch((error: unknown) => failures.set(run, error));
    return failures;
  }

  #succeed(run: Run, entry: Entry): void {
    run.revision += 1;
    entry.done.resolve();
    try {
      this.#listener.committed(run, entry.writes);
    } catch (error) {
      // A mistake of ours: what is stored stays, and the run is read again.
      this.#fail(run, entry, error);
    }
  }

  #fail(run: Run, { done }: Entry, cause: unknown): void {
    const error = isPacelineError(cause) && cause.code === 'PACELINE_CONFLICT' ? overtaken(run, cause) : cause;
    done.reject(error);
    // What came in meanwhile was decided on data that does not exist: it is refused, too.
    this.#pending.get(run)?.done.reject(error);
    this.#pending.delete(run);
    this.#listener.failed(run, error);
  }
}

function statementsOf(run: Run, writes: RunWrites, store: RunStore): Statement[] {
  return [
    saveFacts(run),
    ...endBuild(run),
    ...[...writes.newcomers].map(([instance, position]) => insertInstance(run, instance, position)),
    ...[...writes.instances].filter((instance) => !writes.newcomers.has(instance)).map((instance) => saveInstance(run, instance)),
    ...[...writes.parameters].map(([key, { value, secret }]) => saveParameter(run, key, value, secret, store.cipher)),
    ...writes.events.map((event) => insertEvent(run, event)),
    ...writes.logs.map((chunk) => insertLog(run, chunk)),
    ...writes.reports.map((report) => insertReport(run, report)),
    ...writes.images.map(insertImage),
  ];
}

/** Who asked for it has done nothing wrong, and may ask again. */
function overtaken({ id }: Run, cause: unknown): PacelineError {
  const hint = 'Try again in a moment.';
  return new PacelineError('PACELINE_STORE_FAILED', `Another replica has stored the run ${id} meanwhile`, { cause, hint });
}
