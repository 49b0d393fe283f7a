import { isPacelineError, PacelineError } from '@paceline/model';
import type { Clock } from '../clock.ts';
import type { LiveSight } from './run-view.ts';
import type { RunFeeds } from './feeds.ts';
import { RunWork, type RunWorkPorts } from './run-work.ts';
import { withBoundedEvents } from '../agents/event-bound.ts';
import { LogBook } from '../agents/log-book.ts';
import { completeState } from '../lifecycle/complete.ts';
import { abortChanges, abortOnUnknownKey, cancelAbortChanges, refuseWhenAborted } from '../lifecycle/abort.ts';
import { alterationKinds, refuseWithoutAlteration } from '../launch/alteration.ts';
import { terminate } from '../lifecycle/advance.ts';
import type { ScaleOptions, ScaleRequest } from '../lifecycle/scale-request.ts';
import { scale } from '../lifecycle/scale.ts';
import { readParameter, type Reading } from '../parameters/read.ts';
import { readAs } from '../parameters/secrets.ts';
import { writeParameter } from '../parameters/write.ts';
import { asked } from '../run/asked.ts';
import type { Decision } from '../run/change.ts';
import { instanceOf } from '../run/apply.ts';
import type { Instance } from '../run/instance.ts';
import { hasEnded, type Run } from '../run/run.ts';
import type { RunWrites } from '../store/journal.ts';
import type { RunStore } from '../store/run-store.ts';
import { troubleChanges } from '../tunnel/trouble.ts';

export interface ActiveRunPorts extends RunWorkPorts {
  clock: Clock;
  store: RunStore;
  feeds: RunFeeds;
  warn: (message: string) => void;
  /** Nobody else can drive the run now. */
  holds: () => boolean;
  /** The name of this replica. */
  me: () => string;
  /** The run has been read from the store: its agents may have other keys than before. */
  loaded(run: Run): void;
  /** Somebody else drives the run. */
  lost(): void;
  ended(run: Run): void;
}

/** Who reads or writes a parameter: a user of the run, or an instance's scripts. */
export interface Asker {
  instance?: string;
  /** Answer although the abort flag is raised. */
  ignoreAbort?: boolean;
  /** The name of the user. */
  by?: string;
}

const longestPauseMs = 10_000;

/**
 * One run that this engine drives, for as long as it has not ended. When a commit fails, what is in memory is ahead of the store:
 * it is thrown away and read again, and meanwhile everybody is asked to come back.
 */
export class ActiveRun {
  readonly id: string;
  readonly #ports: ActiveRunPorts;
  #work: RunWork | undefined;
  /** Resolves when no earlier work asks anything of a cloud any more. */
  #before: Promise<void> | undefined;
  /** Commits that failed in a row. */
  #failures = 0;
  #started = false;
  #stopped = false;

  constructor(id: string, ports: ActiveRunPorts) {
    this.id = id;
    this.#ports = ports;
  }

  /** The run as it is known now, which may be ahead of the store. @throws PACELINE_STORE_FAILED while it is read again */
  get run(): Run {
    return this.#current().run;
  }

  get isLoaded(): boolean {
    return this.#work !== undefined;
  }

  /** Reads the run from the store, unless somebody else has taken it. @throws PACELINE_STORE_FAILED */
  async load(): Promise<void> {
    const { store, me } = this.#ports;
    const owned = await store.ownerOf(this.id);
    const run = await store.run(this.id);
    const book = await LogBook.open(store, this.id);
    if (this.#stopped) return;
    if (run === undefined || (owned !== undefined && owned.owner !== me())) {
      this.#stopped = true;
      this.#ports.lost();
    } else this.adopt(run, book);
  }

  /** Reads the run, now or as soon as the store can be read. */
  async open(): Promise<void> {
    try {
      await this.load();
    } catch (error) {
      this.#ports.warn(`run ${this.id} cannot be read: ${String(error)}`);
      void this.#recover();
    }
  }

  /** Begins with a run that is the same as the stored one. */
  adopt(run: Run, book = new LogBook()): void {
    if (this.#stopped) return;
    // What starting it leads to is not stored yet, an end neither.
    const isOver = hasEnded(run);
    this.#work = new RunWork(run, book, this.#before, this.#ports);
    this.#ports.loaded(run);
    if (isOver) this.#end(run);
    else if (this.#started) this.#work.start();
  }

  start(): void {
    this.#started = true;
    this.#work?.start();
  }

  /** This replica may act again. */
  look(): void {
    this.#work?.look();
  }

  /** Leaves the run to whoever takes it next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const work = this.#work;
    this.#work = undefined;
    await work?.stop();
  }

  /** What `look` makes of the run as it is now, told once that is stored. @throws as `run`, and what `look` throws */
  async see<T>(look: (run: Run) => T): Promise<T> {
    const { run } = this.#current();
    const seen = look(run);
    await this.#ports.journal.stored(run);
    return seen;
  }

  /** @returns when the changes, and all that follows from them, are stored */
  async decide(...decisions: Decision[]): Promise<void> {
    await this.#current().decide(...decisions);
  }

  /** A Ready run ends as it is; one that is still on its way is cancelled. */
  terminate(by: string): Promise<void> {
    return this.decide((run, now) => terminate(run, by, now));
  }

  /** @param by who asks for it, for the record */
  abort(reason: string, by?: string): Promise<void> {
    return this.decide(asked(by, (run, now) => abortChanges(run, 'ss:abort', reason, now)));
  }

  /** Tells people why a machine cannot be reached, or that it can. Whoever drives the run next finds it out by himself. */
  reached(instance: string, trouble: string | undefined): void {
    this.decide((run, now) => troubleChanges(run, instance, trouble, now)).catch(() => {});
  }

  /** @param by who asks for it, for the record. @throws PACELINE_CONFLICT when the run has timed out */
  cancelAbort(by?: string): Promise<void> {
    return this.decide(asked(by, (run, now) => cancelAbortChanges(run, run.facts.abort?.source ?? 'ss:abort', now)));
  }

  /**
   * Adds, removes or alters machines of a node; the run is Ready again when that is done.
   * @returns the names of the instances that it is about, none when there is nothing to do
   * @throws PACELINE_NOT_FOUND, PACELINE_REQUEST_INVALID, PACELINE_RUN_ABORTED, PACELINE_CONFLICT when the run is not scalable, or not Ready
   */
  async scale(request: ScaleRequest, options: ScaleOptions = {}, by?: string): Promise<string[]> {
    const kind = alterationKinds.find((each) => each in request.wish);
    if (kind !== undefined) refuseWithoutAlteration(this.run, request.node, kind, this.#ports.keeper.clouds);
    let named: string[] = [];
    const decision: Decision = (run, now) => {
      const { changes, instances } = scale(run, request, options, now);
      named = instances;
      return changes;
    };
    await this.decide(asked(by, decision));
    return named;
  }

  /** @throws PACELINE_PARAMETER_UNKNOWN, PACELINE_FORBIDDEN, PACELINE_RUN_ABORTED */
  async read(key: string, { instance, ignoreAbort = true }: Asker = {}): Promise<Reading> {
    return this.#asked(instance, () =>
      this.see((run) => {
        refuseWhenAborted(run, ignoreAbort);
        return instance === undefined ? readParameter(run, key) : readAs(run, instanceOf(run, instance), key);
      }),
    );
  }

  /** Sets a parameter; empty text takes its value away. @throws as `read`, and PACELINE_TOO_LARGE */
  async write(key: string, value: string, secret: boolean, { instance, ignoreAbort = true, by }: Asker = {}): Promise<void> {
    await this.#asked(instance, (current) => {
      refuseWhenAborted(current, ignoreAbort);
      if (instance === undefined) return this.decide(asked(by, (run, now) => writeParameter(run, key, value, secret, 'user', now)));
      return this.#said(instance, (run, now) => writeParameter(run, key, value, secret, { instance: instanceOf(run, instance) }, now));
    });
  }

  /** An instance has done what the present state asks of it. */
  complete(instance: string): Promise<void> {
    return this.decide((run, now) => completeState(run, instanceOf(run, instance), run.facts.seq, now));
  }

  /** The work on the run. @throws PACELINE_STORE_FAILED while it is read again */
  get work(): RunWork {
    return this.#current();
  }

  /** What is known of an instance beside what is stored. */
  get sight(): LiveSight {
    return {
      isConnected: (instance: Instance) => this.#work?.isConnected(instance) ?? false,
      blockedIn: (instance: Instance) => this.#work?.blockedIn(instance) ?? [],
    };
  }

  /** To be called by the journal. */
  committed(run: Run, writes: RunWrites): void {
    if (run !== this.#work?.run) return;
    this.#failures = 0;
    this.#work.committed(writes);
    const { events, logs } = this.#ports.feeds;
    if (writes.events.length > 0) events.notify();
    if (writes.logs.length > 0) logs.notify();
    // In memory the run may be further than this commit.
    if (writes.facts !== undefined && hasEnded({ facts: writes.facts })) this.#end(run);
  }

  /** To be called by the journal. */
  failed(run: Run, error: unknown): void {
    const work = this.#work;
    if (work === undefined || run !== work.run) return;
    this.#work = undefined;
    this.#ports.warn(`run ${this.id} is read again from the store: ${String(error)}`);
    void this.#recover(work, isPacelineError(error) && error.data['outcome'] === 'unknown');
  }

  /**
   * Reads until it works, less and less often while commits fail.
   * @param mayStillLand a commit that was given up may be stored yet, behind the back of who reads
   */
  async #recover(work?: RunWork, mayStillLand = false): Promise<void> {
    const { clock, warn } = this.#ports;
    this.#before = work?.stop() ?? this.#before;
    let fenced = !mayStillLand;
    while (!this.#stopped && this.#work === undefined) {
      const pause = Math.min(100 * 2 ** this.#failures++, longestPauseMs);
      await new Promise<void>((resolve) => void clock.after(pause, resolve));
      if (this.#stopped) break;
      try {
        fenced ||= await this.#fence();
        if (fenced) await this.load();
      } catch (error) {
        warn(`run ${this.id} cannot be read: ${String(error)}`);
      }
    }
    this.#ports.feeds.events.notify();
    this.#ports.feeds.logs.notify();
  }

  /** Takes the run anew, so that what still comes of a commit that was given up finds another revision. @returns false when it has come just now */
  async #fence(): Promise<boolean> {
    const { store, me } = this.#ports;
    const owned = await store.ownerOf(this.id);
    return owned?.owner !== me() || (await store.claim(owned, me()));
  }

  async #asked<T>(instance: string | undefined, act: (run: Run) => T | Promise<T>): Promise<T> {
    try {
      return await act(this.run);
    } catch (error) {
      if (instance !== undefined) await this.#said(instance, (run, now) => abortOnUnknownKey(run, instance, error, now));
      throw error;
    }
  }

  /** Changes the run as an instance's scripts wish. */
  #said(instance: string, decision: Decision): Promise<void> {
    return this.decide((run, now) => withBoundedEvents(instanceOf(run, instance), decision(run, now), now));
  }

  #current(): RunWork {
    if (this.#work !== undefined && this.#ports.holds()) return this.#work;
    throw new PacelineError('PACELINE_STORE_FAILED', `The run ${this.id} is being read again from the store`, {
      hint: 'Try again in a moment.',
    });
  }

  #end(run: Run): void {
    this.#ports.feeds.events.end();
    this.#ports.feeds.logs.end();
    this.#ports.ended(run);
  }
}
