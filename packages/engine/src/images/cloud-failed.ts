import { PacelineError } from '@paceline/model';
import { toConnectorError } from '../launch/connector-failure.ts';

/** What a call to a cloud threw, for whoever has asked for it. @param hint where the cloud has none */
export function cloudFailed(message: string, cause: unknown, hint?: string): PacelineError {
  const error = toConnectorError(cause);
  const advice = error.details.hint ?? hint;
  return new PacelineError('PACELINE_CLOUD_FAILED', `${message}: ${error.message}`, {
    cause,
    ...(advice !== undefined && { hint: advice }),
  });
}
