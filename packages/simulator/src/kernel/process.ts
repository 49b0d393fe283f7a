import type { Clock } from '@paceline/engine';
import type { Kernel } from './kernel.ts';

/** An answer from outside that has not come yet. */
export interface Answer<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

/**
 * Code that can be killed or put to sleep between any two of its effects: nothing from outside reaches it but through here, and
 * the answers that a dead process waits for never come.
 */
export class Process {
  readonly name: string;
  readonly clock: Clock;
  readonly #kernel: Kernel;
  readonly #held: (() => void)[] = [];
  readonly #mourners: (() => void)[] = [];
  #awakeSince = 0;
  #doom: { left: number; strike: 'before' | 'after' | (() => void) } | undefined;
  #state: 'awake' | 'asleep' | 'dead' = 'awake';

  /** @param skewMs how far its clock is ahead of the true time */
  constructor(kernel: Kernel, name: string, skewMs = 0) {
    this.#kernel = kernel;
    this.name = name;
    this.clock = {
      now: () => kernel.now + skewMs,
      elapsed: () => kernel.elapsed,
      after: (ms, callback) => this.after(ms, callback),
      soon: (callback) => void this.after(0, callback),
    };
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isAwake(): boolean {
    return this.#state === 'awake';
  }

  /** For how long nothing has kept it from running, in milliseconds. */
  get awakeMs(): number {
    return this.#kernel.elapsed - this.#awakeSince;
  }

  /** Something from outside comes in: now, when the process wakes up, or never. */
  enter(action: () => void): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'asleep') return void this.#held.push(action);
    this.#kernel.touch();
    action();
  }

  /** @returns what takes it back */
  after(ms: number, callback: () => void): () => void {
    let wanted = true;
    const cancel = this.#kernel.after(ms, () => this.enter(() => void (wanted && callback())));
    return () => {
      wanted = false;
      cancel();
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /** For what is asked of the outside: it comes in as everything else does. */
  answer<T>(): Answer<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    promise.catch(() => {});
    return { promise, resolve: (value) => this.enter(() => resolve(value)), reject: (error) => this.enter(() => reject(error)) };
  }

  pause(): void {
    if (this.#state === 'awake') this.#state = 'asleep';
  }

  resume(): void {
    if (this.#state !== 'asleep') return;
    this.#state = 'awake';
    this.#awakeSince = this.#kernel.elapsed;
    // One by one, as an event loop takes them.
    for (const action of this.#held.splice(0)) this.#kernel.after(0, () => this.enter(action));
  }

  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#doom = undefined;
    this.#held.length = 0;
    for (const mourn of this.#mourners.splice(0)) mourn();
  }

  /** Lets the process die right before or after one of its next effects on the outside. @param left which of them, from 1 */
  doom(left: number, when: 'before' | 'after'): void {
    this.#doom = { left, strike: when };
  }

  /** Calls back right after one of its next effects on the outside, before the process hears of it. @param left which of them, from 1 */
  afterEffect(left: number, callback: () => void): void {
    this.#doom = { left, strike: callback };
  }

  /** What the process does to the outside. Not done when that is the moment before which it dies. @returns when it has died of it */
  effect(act: () => void): 'before' | 'after' | undefined {
    if (this.#doom === undefined || --this.#doom.left > 0) {
      act();
      return undefined;
    }
    const { strike } = this.#doom;
    this.#doom = undefined;
    if (strike !== 'before') act();
    if (typeof strike === 'string') this.kill();
    else strike();
    return typeof strike === 'string' ? strike : undefined;
  }

  /** Calls back, outside of the process, when it has died. */
  onDeath(callback: () => void): void {
    this.#mourners.push(callback);
  }
}
