import type { ConnectorError, ConnectorErrorCode } from '../connector/index.ts';

/** Whether a cloud is asked at all: after failures in a row it is left alone for a while, and then tried by one cheap call. */
export interface Circuit {
  /** In a row. */
  readonly failures: number;
  /** It is not asked before this; 0 while it is closed. */
  readonly openUntil: number;
  /** How often it was opened since it worked. */
  readonly times: number;
  readonly last: ConnectorError | undefined;
}

export const closedCircuit: Circuit = { failures: 0, openUntil: 0, times: 0, last: undefined };

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

/** What is known after an answer. @param error undefined for a success */
export function afterAnswer(circuit: Circuit, error: ConnectorError | undefined, now: number): Circuit {
  if (error === undefined || !isBroken(error.code)) return closedCircuit;
  const failures = circuit.failures + 1;
  // While it is open, only what was asked before comes in.
  if (stateOf(circuit, now) === 'open') return { ...circuit, failures, last: error };
  if (stateOf(circuit, now) === 'closed' && failures < mostFailures) return { ...circuit, failures, last: error };
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** circuit.times);
  return { failures, openUntil: now + pauseMs, times: circuit.times + 1, last: error };
}
