import type { OpResult } from '@paceline/api/agent';
import type { PacelineError } from '@paceline/model';
import { shortened } from '../run/shortened.ts';

/** Of a refusal, in characters: it may quote what another machine has said. */
const maxMessage = 1000;

/** A refusal as an agent hears of it. */
export function refusedResult({ code, status, message }: PacelineError): Omit<Extract<OpResult, { status: 'error' }>, 'status'> {
  return { code, httpStatus: status, message: shortened(message, maxMessage) };
}
