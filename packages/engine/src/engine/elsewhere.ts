import { PacelineError } from '@paceline/model';

/** Somebody else drives a run, or will in a moment. */
export function elsewhere(run: string): PacelineError {
  return new PacelineError('PACELINE_STORE_FAILED', `The run ${run} is not driven here, or not yet`, { hint: 'Try again in a moment.' });
}
