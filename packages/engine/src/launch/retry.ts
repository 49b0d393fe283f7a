import type { ConnectorErrorCode } from '../connector/index.ts';

const baseMs = 1000;
const capMs = 60_000;
const maxLaunchAttempts = 8;

/** Whether the same call may succeed later, by the error's code. */
export function isTransient(code: ConnectorErrorCode): boolean {
  return code === 'throttled' || code === 'unavailable' || code === 'timeout';
}

/** A launch is given up after this many failures in a row; a termination never. */
export function mayLaunchAgain(code: ConnectorErrorCode, attempts: number): boolean {
  return isTransient(code) && attempts < maxLaunchAttempts;
}

/**
 * Exponential back-off with full jitter.
 * @param attempts failures so far, from 1
 * @param random a number in [0, 1)
 * @returns milliseconds to wait, at least what the cloud asked for
 */
export function backoffMs(attempts: number, random: number, retryAfterMs = 0): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** (attempts - 1));
  return Math.max(retryAfterMs, Math.round(ceiling * (0.5 + random / 2)));
}

/** Whether the call may have had its effect all the same. */
export function isAmbiguous(code: ConnectorErrorCode): boolean {
  return code === 'timeout' || code === 'unavailable' || code === 'internal';
}
