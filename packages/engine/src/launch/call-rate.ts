import { longestMs } from './retry.ts';

/** How many calls a cloud is asked for at most: so many at once after a pause, and so many a second in the long run. */
export interface RateLimits {
  perSecond: number;
  burst: number;
}

/** A token bucket whose speed follows what the cloud takes: more little by little, half when it is too much. */
export interface CallRate {
  readonly tokens: number;
  /** When that was so, in milliseconds. */
  readonly at: number;
  readonly perSecond: number;
  /** Nothing is asked before this. */
  readonly blockedUntil: number;
  /** Complaints before this are about calls that were made at the old speed. */
  readonly slowedUntil: number;
}

/** Where a connector says nothing of it. */
export const usualLimits: RateLimits = { perSecond: 20, burst: 100 };

const slowest = 0.1;
const quickening = 0.05;
const settlingMs = 1000;

export function fullRate({ perSecond, burst }: RateLimits, now: number): CallRate {
  return { tokens: burst, at: now, perSecond, blockedUntil: 0, slowedUntil: 0 };
}

function refilled(rate: CallRate, { burst }: RateLimits, now: number): CallRate {
  // A clock that was set back gives nothing, and takes nothing.
  const since = Math.max(rate.at, rate.blockedUntil);
  const tokens = Math.min(burst, rate.tokens + (Math.max(0, now - since) / 1000) * rate.perSecond);
  return { ...rate, tokens, at: Math.max(rate.at, now) };
}

/** The moment from which the next call may be made, in milliseconds; not after `now` if it may be made at once. */
export function nextCallAt(rate: CallRate, limits: RateLimits, now: number): number {
  const { tokens, perSecond, blockedUntil } = refilled(rate, limits, now);
  const missing = Math.max(0, 1 - tokens);
  return Math.max(blockedUntil, now) + (missing < 1e-9 ? 0 : Math.ceil((missing / perSecond) * 1000));
}

/** A call is made. */
export function withCall(rate: CallRate, limits: RateLimits, now: number): CallRate {
  const { tokens, ...rest } = refilled(rate, limits, now);
  return { ...rest, tokens: Math.max(0, tokens - 1) };
}

/** The cloud has answered, whatever it said. */
export function quickened(rate: CallRate, { perSecond }: RateLimits): CallRate {
  return { ...rate, perSecond: Math.min(perSecond, rate.perSecond + perSecond * quickening) };
}

/** The cloud has said that it was too much. @param retryAfterMs how long it asks to wait; nobody waits longer than ten minutes: machines have to end */
export function slowed(rate: CallRate, limits: RateLimits, now: number, retryAfterMs = 0): CallRate {
  const blockedUntil = Math.max(rate.blockedUntil, now + Math.min(retryAfterMs, longestMs));
  if (now < rate.slowedUntil) return { ...rate, blockedUntil };
  const perSecond = Math.max(Math.min(slowest, limits.perSecond), rate.perSecond / 2);
  return { ...refilled(rate, limits, now), tokens: 0, perSecond, blockedUntil, slowedUntil: now + settlingMs };
}
