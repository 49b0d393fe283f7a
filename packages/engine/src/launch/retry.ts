import type { ConnectorErrorCode } from '../connector/index.ts';

const baseMs = 1000;
const capMs = 60_000;
/** Nothing is put off for longer, whatever a cloud asks for. */
export const longestMs = 10 * 60_000;

interface Treatment {
  /** A launch is given up after so many failures in a row. */
  launches: number;
  /** The call may have had its effect all the same. */
  ambiguous: boolean;
}

/** What a failure means for the call that has failed. */
const treatments: Record<ConnectorErrorCode, Treatment> = {
  throttled: { launches: 8, ambiguous: false },
  unavailable: { launches: 8, ambiguous: true },
  timeout: { launches: 8, ambiguous: true },
  // Credentials are renewed behind our back, and may have ended in between.
  auth: { launches: 2, ambiguous: false },
  internal: { launches: 1, ambiguous: true },
  forbidden: { launches: 1, ambiguous: false },
  invalid: { launches: 1, ambiguous: false },
  notFound: { launches: 1, ambiguous: false },
  conflict: { launches: 1, ambiguous: false },
  quota: { launches: 1, ambiguous: false },
  capacity: { launches: 1, ambiguous: false },
  unsupported: { launches: 1, ambiguous: false },
};

/** Whether the same call may succeed later, by the error's code. */
export function isTransient(code: ConnectorErrorCode): boolean {
  return code === 'throttled' || code === 'unavailable' || code === 'timeout';
}

/** A launch is given up after some failures in a row; a termination never. @param attempts failures so far, from 1 */
export function mayLaunchAgain(code: ConnectorErrorCode, attempts: number): boolean {
  return attempts < treatments[code].launches;
}

/**
 * Exponential back-off with full jitter.
 * @param attempts failures so far, from 1
 * @param random a number in [0, 1)
 * @returns milliseconds to wait, at least what the cloud asked for, up to ten minutes
 */
export function backoffMs(attempts: number, random: number, retryAfterMs = 0): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** (attempts - 1));
  return Math.max(Math.min(retryAfterMs, longestMs), Math.round(ceiling * (0.5 + random / 2)));
}

/**
 * In how many milliseconds what was put off may be tried again; at once where that is further away than anything is put off: then
 * somebody has set the clock back.
 */
export function dueIn(retryAt: number, now: number): number {
  return retryAt - now > longestMs ? 0 : retryAt - now;
}

/** Whether the call may have had its effect all the same. */
export function isAmbiguous(code: ConnectorErrorCode): boolean {
  return treatments[code].ambiguous;
}
