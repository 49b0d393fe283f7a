import type { Kernel } from '../kernel/kernel.ts';
import type { Checks } from './checks.ts';
import { hasWork, isLive, type StoredChange, type StoredRun } from './stored.ts';

interface Who {
  run: string;
  instance: string;
}

interface Task {
  seq: number;
  step: string;
}

/** When scripts run, how often, and what becomes of their output. */
export class ScriptChecks {
  readonly #checks: Checks;
  readonly #kernel: Kernel;
  readonly #succeeded = new Set<string>();
  /** Of each instance, how many processes that scripts have left behind compute, and when the last ended, in milliseconds since the beginning. */
  readonly #computing = new Map<string, { count: number; endedAt: number }>();
  /** What each instance's script waits for, and since when, in milliseconds since the beginning. */
  readonly #waits = new Map<string, { keys: string[]; since: number }>();

  constructor(checks: Checks, kernel: Kernel) {
    this.#checks = checks;
    this.#kernel = kernel;
  }

  /** A script waits for these now; for nothing when it does something. */
  waiting({ run, instance }: Who, keys: ReadonlySet<string>): void {
    this.#waits.set(`${run} ${instance}`, { keys: [...keys], since: this.#kernel.elapsed });
  }

  /** A process that a script has left behind begins, or ends. */
  computing({ run, instance }: Who, change: 1 | -1): void {
    const who = `${run} ${instance}`;
    const { count = 0 } = this.#computing.get(who) ?? {};
    this.#computing.set(who, { count: count + change, endedAt: this.#kernel.elapsed });
  }

  /**
   * For how long every instance that has work has done nothing but wait for values that are not there, and nothing has gone on that
   * scripts have left behind where these are set, in milliseconds; 0 when one has not.
   */
  stalledMs(run: StoredRun): number {
    let stalledMs = Number.POSITIVE_INFINITY;
    const awaited: string[] = [];
    for (const instance of run.instances.values()) {
      if (
        !isLive(instance) ||
        !hasWork(run, instance.node, 'Executing') ||
        this.#checks.agents.hasCompleted(run.id, instance.name, run.facts.seq)
      )
        continue;
      const { keys = [], since = 0 } = this.#waits.get(`${run.id} ${instance.name}`) ?? {};
      if (keys.length === 0 || keys.some((key) => this.#checks.parameters.isThere(run, key))) return 0;
      stalledMs = Math.min(stalledMs, this.#kernel.elapsed - since);
      awaited.push(...keys);
    }
    return stalledMs === Number.POSITIVE_INFINITY ? 0 : Math.min(stalledMs, this.#calmMs(run, awaited));
  }

  /** For how long nothing has gone on that could set one of these. */
  #calmMs(run: StoredRun, awaited: readonly string[]): number {
    const setters = new Set(awaited.flatMap((wait) => this.#checks.parameters.settersOf(run, wait)));
    let calmMs = this.#kernel.elapsed;
    for (const instance of run.instances.keys()) {
      const { count = 0, endedAt = 0 } = this.#computing.get(`${run.id} ${instance}`) ?? {};
      if (setters.has(instance) || setters.has('ss')) calmMs = count > 0 ? 0 : Math.min(calmMs, this.#kernel.elapsed - endedAt);
      if (calmMs === 0) return 0;
    }
    return calmMs;
  }

  begun({ run: id, instance }: Who, { step }: Task): void {
    const run = this.#checks.runOf(id);
    if (run === undefined || step.startsWith('report')) return;
    for (const other of run.instances.values()) {
      if (isLive(other) && !run.parameters.has(`${other.name}:hostname`) && run.facts.state === 'Executing')
        this.#checks.fail('no script begins before every hostname is known', `${instance} begins ${step} without ${other.name}`);
    }
  }

  succeeded({ run, instance }: Who, { seq, step }: Task): void {
    const key = `${run} ${instance} ${seq} ${step}`;
    if (this.#succeeded.has(key)) this.#checks.fail('no script runs twice to success', key);
    this.#succeeded.add(key);
  }

  stored({ run }: StoredChange): void {
    for (const [source, pieces] of run.logs) {
      const [piece, before] = [pieces.at(-1), pieces.at(-2)];
      if (piece !== undefined && piece.start !== (before === undefined ? 0 : before.start + before.bytes))
        this.#checks.fail('output is stored once, without gaps', `${source} goes on at ${piece.start}`);
    }
  }
}
