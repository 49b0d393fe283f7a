import type { RunDetail } from '@paceline/api';

/** What `up` leaves with, besides the codes of the error catalogue. */
export const exitCodes = { ok: 0, aborted: 8, cancelled: 130 } as const;

/** The exit code that tells how a run has come out. */
export function exitCodeOf({ state, abort }: Pick<RunDetail, 'state' | 'abort'>): number {
  if (state === 'Cancelled') return exitCodes.cancelled;
  return state === 'Aborted' || abort !== null ? exitCodes.aborted : exitCodes.ok;
}
