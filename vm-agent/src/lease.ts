import type { Clock } from './clock.ts';

export interface LeaseOptions {
  /** Milliseconds since 1970. */
  expires: number;
  clock: Clock;
  /** Since when the engine has been out of reach; undefined while it is in reach. */
  downSince: () => number | undefined;
  onEnd: () => void;
}

/** Milliseconds without the engine that are forgiven after the end: it may just be restarting. */
const grace = 60_000;

/** Watches that an instance does not outlive its run when nobody can tell it to go. @returns how to stop watching */
export function watchLease(options: LeaseOptions): () => void {
  const timer = setInterval(() => {
    if (isOver(options)) options.onEnd();
  }, 10_000);
  timer.unref();
  return () => clearInterval(timer);
}

export function isOver({ expires, clock, downSince }: LeaseOptions): boolean {
  const since = downSince();
  return since !== undefined && clock.now() - Math.max(since, expires) >= grace;
}
