import type { Clock } from './clock.ts';

/** The first delay in milliseconds, before jitter. */
const first = 100;
/** No delay is longer than this many milliseconds. */
const cap = 15_000;

/** Growing delays with jitter: thousands of agents must not come back in the same millisecond. */
export class Backoff {
  readonly #clock: Clock;
  readonly #random: () => number;
  #count = 0;
  #waiting: AbortController | undefined;

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Half of the delay is fixed, the other half is chance. */
  next(): number {
    const delay = Math.min(cap, first * 2 ** Math.min(this.#count++, 20));
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
