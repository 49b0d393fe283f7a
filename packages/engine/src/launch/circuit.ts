import type { ConnectorError, ConnectorErrorCode } from '../connector/index.ts';

/** Whether a cloud is asked at all: after failures in a row it is left alone for a while, and then tried by one cheap call. */
export interface Circuit {
  /** In a row: those of calls that were under way at the same time count as one, as one machine may keep all of them. */
  readonly failures: number;
  /** When the last that counts was learned of. */
  readonly failedAt: number;
  /** It is not asked before this; 0 while it is closed. */
  readonly openUntil: number;
  /** How often it was opened since it worked. */
  readonly times: number;
  readonly last: ConnectorError | undefined;
}

export const closedCircuit: Circuit = { failures: 0, failedAt: Number.NEGATIVE_INFINITY, openUntil: 0, times: 0, last: undefined };

const mostFailures = 5;
const firstPauseMs = 15_000;
const longestPauseMs = 5 * 60_000;

/** Says that the way to the cloud, or the credential, does not work. Other failures are answers. */
function isBroken(code: ConnectorErrorCode): boolean {
  return code === 'unavailable' || code === 'timeout' || code === 'auth';
}

/** Calls pass, or one has to try it first, or none may. */
export function stateOf({ openUntil }: Circuit, now: number): 'closed' | 'half-open' | 'open' {
  return openUntil === 0 ? 'closed' : now < openUntil ? 'open' : 'half-open';
}

/**
 * What is known after an answer.
 * @param error undefined for a success
 * @param askedAt when the call was begun
 */
export function afterAnswer(circuit: Circuit, error: ConnectorError | undefined, askedAt: number, now: number): Circuit {
  if (error === undefined || !isBroken(error.code)) return closedCircuit;
  if (askedAt < circuit.failedAt) return { ...circuit, last: error };
  const failures = circuit.failures + 1;
  const counted = { ...circuit, failures, failedAt: now, last: error };
  // While it is open, only what was asked before comes in.
  if (stateOf(circuit, now) === 'open') return counted;
  if (stateOf(circuit, now) === 'closed' && failures < mostFailures) return counted;
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** circuit.times);
  return { failures, failedAt: now, openUntil: now + pauseMs, times: circuit.times + 1, last: error };
}
