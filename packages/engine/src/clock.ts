/** Time, timers and chance come in from outside, so that a simulator can play with them. */
export interface Clock {
  /** Milliseconds since the epoch. Jumps when somebody sets the clock. */
  now(): number;
  /** Milliseconds since some moment. Never jumps, and may stand still while the host sleeps. */
  elapsed(): number;
  /** Calls back once after `ms`; the returned function takes it back. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back as soon as what is happening now has happened. */
  soon(callback: () => void): void;
}

const longestTimer = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), longestTimer));
    return () => clearTimeout(timer);
  },
  soon(callback) {
    setImmediate(callback);
  },
};
