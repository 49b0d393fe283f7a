import { setTimeout } from 'node:timers/promises';

/** Time, passed in so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal is or gets aborted. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => setTimeout(Math.min(ms, longest), undefined, signal && { signal }).catch(() => {}),
};

/** What a timer can hold: 24 days. */
const longest = 2 ** 31 - 1;
