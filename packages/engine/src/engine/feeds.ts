import { getOrMake } from '../run/get-or-make.ts';
import type { RunEvent } from '../run/event.ts';
import type { LogChunk } from '../run/log.ts';
import type { RunStore } from '../store/run-store.ts';
import { Feed } from './feed.ts';

/** What can be followed of one run. */
export interface RunFeeds {
  readonly events: Feed<RunEvent>;
  readonly logs: Feed<LogChunk>;
  /** How many follow them, or are about to. */
  followers: number;
}

/**
 * The feeds of all runs that somebody follows here, whoever drives the run: a run that changes hands, or is read again, keeps its
 * followers.
 */
export class Feeds {
  readonly #store: RunStore;
  readonly #isDriven: (run: string) => boolean;
  readonly #byRun = new Map<string, RunFeeds>();
  readonly #watchers = new Set<(run: string) => void>();

  /** @param isDriven whether this replica drives a run, and so tells its feeds what happens */
  constructor(store: RunStore, isDriven: (run: string) => boolean) {
    this.#store = store;
    this.#isDriven = isDriven;
  }

  of(run: string): RunFeeds {
    const store = this.#store;
    return getOrMake(this.#byRun, run, () => ({
      events: new Feed(
        (after, limit) => store.events(run, after, limit),
        500,
        () => this.#tell(run),
      ),
      logs: new Feed((after, limit) => store.logs(run, after, limit), 32),
      followers: 0,
    }));
  }

  /**
   * All of one kind after a cursor, and what comes, until the run has ended or the signal is aborted.
   * @param choose the kind
   */
  async *follow<T extends { seq: number }>(
    run: string,
    choose: (feeds: RunFeeds) => Feed<T>,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<T[]> {
    const feeds = this.of(run);
    feeds.followers += 1;
    try {
      await this.#endIfOver(run);
      yield* choose(feeds).follow(after, signal);
    } finally {
      feeds.followers -= 1;
      this.release(run);
    }
  }

  /** Calls back with each run in which something happens, here or at other replicas. @returns what ends it */
  watch(changed: (run: string) => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** Something has happened in runs of other replicas. */
  async heard(runs: readonly string[] | 'all'): Promise<void> {
    for (const run of runs === 'all' ? [...this.#byRun.keys()] : runs) {
      const feeds = this.#byRun.get(run);
      if (feeds === undefined) this.#tell(run);
      if (feeds === undefined || this.#isDriven(run)) continue;
      feeds.events.notify();
      feeds.logs.notify();
      await this.#endIfOver(run).catch((error: unknown) => this.#fail(run, error));
    }
  }

  /** Forgets a run that is neither driven nor followed here. */
  release(run: string): void {
    const feeds = this.#byRun.get(run);
    if (feeds?.followers === 0 && !this.#isDriven(run)) this.#byRun.delete(run);
  }

  #tell(run: string): void {
    for (const changed of this.#watchers) changed(run);
  }

  /** Nobody knows whether more will come: who follows is sent away, and comes back. */
  #fail(run: string, error: unknown): void {
    const feeds = this.#byRun.get(run);
    this.#byRun.delete(run);
    feeds?.events.fail(error);
    feeds?.logs.fail(error);
  }

  async #endIfOver(run: string): Promise<void> {
    if (this.#isDriven(run) || (await this.#store.ownerOf(run)) !== undefined) return;
    this.#byRun.get(run)?.events.end();
    this.#byRun.get(run)?.logs.end();
  }
}
