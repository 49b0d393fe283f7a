import type { OpResult } from '@paceline/api/agent';
import type { PacelineError } from '@paceline/model';

/** A refusal as an agent hears of it. */
export function refusedResult({ code, status, message }: PacelineError): Omit<Extract<OpResult, { status: 'error' }>, 'status'> {
  return { code, httpStatus: status, message };
}
