import type { Clock } from './clock.ts';

export interface BackoffOptions {
  /** The first delay in milliseconds, before jitter. @default 100 */
  first?: number;
  /** No delay is longer than this many milliseconds. @default 15000 */
  cap?: number;
  random?: () => number;
}

/** Growing delays with jitter: thousands of agents must not come back in the same millisecond. */
export class Backoff {
  readonly #clock: Clock;
  readonly #first: number;
  readonly #cap: number;
  readonly #random: () => number;
  #count = 0;
  #waiting: AbortController | undefined;

  constructor(clock: Clock, { first = 100, cap = 15_000, random = Math.random }: BackoffOptions = {}) {
    this.#clock = clock;
    this.#first = first;
    this.#cap = cap;
    this.#random = random;
  }

  /** Half of the delay is fixed, the other half is chance. */
  next(): number {
    const delay = Math.min(this.#cap, this.#first * 2 ** Math.min(this.#count++, 20));
    return delay / 2 + (delay / 2) * this.#random();
  }

  /** @param atLeast milliseconds that the server asked for */
  async wait(atLeast = 0, signal?: AbortSignal): Promise<void> {
    const waiting = (this.#waiting = new AbortController());
    const wake = (): void => waiting.abort();
    signal?.addEventListener('abort', wake);
    if (signal?.aborted) wake();
    await this.#clock.sleep(Math.max(atLeast, this.next()), waiting.signal);
    signal?.removeEventListener('abort', wake);
    this.#waiting = undefined;
  }

  /** All is well again: start small next time, and end a wait that is under way. */
  reset(): void {
    this.#count = 0;
    this.#waiting?.abort();
  }

  /** End a wait that is under way. */
  wake(): void {
    this.#waiting?.abort();
  }
}
