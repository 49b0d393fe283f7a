import type { Clock } from '../clock.ts';
import type { ReportFiles } from '../reports/report-files.ts';
import type { RunStore } from '../store/run-store.ts';

/** For how long what a finished run leaves is kept, in milliseconds after its end. */
export interface RetentionPolicy {
  /** The run itself: its state, parameters and events. Nothing else outlives it. */
  runsMs: number;
  logsMs: number;
  reportsMs: number;
}

const day = 24 * 3_600_000;
export const defaultRetention: RetentionPolicy = { runsMs: 90 * day, logsMs: 30 * day, reportsMs: 30 * day };

export interface RetentionPorts {
  store: RunStore;
  reports: ReportFiles;
  clock: Clock;
  policy: RetentionPolicy;
  warn: (message: string) => void;
}

/** The first time is soon: an engine may live for minutes only, and be started again and again. */
const firstMs = 5000;
const everyMs = 3_600_000;

/** Removes what finished runs have left when its time is over, a little at a time, so that nobody has to wait for it. */
export class Retention {
  readonly #ports: RetentionPorts;
  #cancelTimer = (): void => {};
  #underWay: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(ports: RetentionPorts) {
    this.#ports = ports;
  }

  start(inMs = firstMs): void {
    this.#cancelTimer = this.#ports.clock.after(inMs, () => {
      this.#underWay = this.sweep()
        .catch((error: unknown) => this.#ports.warn(`what old runs have left could not be removed: ${String(error)}`))
        .finally(() => {
          if (!this.#stopped) this.start(everyMs);
        });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#underWay;
  }

  /** Removes everything whose time is over now. */
  async sweep(): Promise<void> {
    const { store, reports, clock, policy } = this.#ports;
    const now = clock.now();
    // Files first: a file without a row would never be found again.
    await this.#each(
      (kept) => store.endedWith('reports', now - policy.reportsMs, kept),
      async (run) => {
        await reports.remove(run);
        await store.forget('reports', run);
      },
    );
    await this.#each(
      (kept) => store.endedWith('logs', now - policy.logsMs, kept),
      (run) => store.forget('logs', run),
    );
    await this.#each(
      (kept) => store.endedBefore(now - policy.runsMs, kept),
      async (run) => {
        await reports.remove(run);
        await store.forgetRun(run);
      },
    );
  }

  /** One run that cannot be removed must not keep the others. */
  async #each(find: (after: number) => Promise<string[]>, remove: (run: string) => Promise<void>): Promise<void> {
    let kept = 0;
    for (let runs = await find(kept); runs.length > 0 && !this.#stopped; runs = await find(kept)) {
      for (const run of runs) {
        if (this.#stopped) return;
        await remove(run).catch((error: unknown) => {
          kept += 1;
          this.#ports.warn(`what run ${run} has left cannot be removed: ${String(error)}`);
        });
      }
    }
  }
}
