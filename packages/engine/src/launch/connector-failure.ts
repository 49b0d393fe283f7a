import { ConnectorError, isConnectorError } from '../connector/index.ts';
import { isPacelineError } from '@paceline/model';

/** Whatever a call to a cloud threw, as an error with a code that says whether to try again. */
export function toConnectorError(cause: unknown): ConnectorError {
  if (isConnectorError(cause)) return cause;
  if (isPacelineError(cause) && isConnectorError(cause.cause)) return cause.cause;
  const code = isPacelineError(cause) && cause.code === 'PACELINE_CLOUD_UNKNOWN' ? 'invalid' : 'internal';
  return new ConnectorError(code, cause instanceof Error ? cause.message : String(cause), { cause });
}
