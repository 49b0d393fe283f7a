const brand = Symbol.for('paceline.connector-error');

/**
 * Why a call failed, as far as the engine has to tell cases apart: `throttled`, `unavailable` and `timeout` are tried again,
 * `capacity` somewhere else, `quota` when there is room, the rest is final.
 */
export type ConnectorErrorCode =
  | 'auth'
  | 'forbidden'
  | 'invalid'
  | 'notFound'
  | 'conflict'
  | 'quota'
  | 'capacity'
  | 'throttled'
  | 'unavailable'
  | 'timeout'
  | 'unsupported'
  | 'internal';

export interface ConnectorErrorDetails {
  cause?: unknown;
  /** How long the cloud asks to wait, in milliseconds. */
  retryAfterMs?: number;
  /** The cloud's own status, code and request id. */
  provider?: { status?: number; code?: string; requestId?: string };
  /** The call has made and changed nothing: the cloud was not reached, or was not even called. */
  untouched?: boolean;
  /** What the user can do about it. */
  hint?: string;
}

/** A failed call to a cloud. Recognise it with {@link isConnectorError}: connectors may come with their own copy of this package. */
export class ConnectorError extends Error {
  readonly [brand] = true;
  readonly code: ConnectorErrorCode;
  readonly details: ConnectorErrorDetails;

  constructor(code: ConnectorErrorCode, message: string, details: ConnectorErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'ConnectorError';
    this.code = code;
    this.details = details;
  }
}

export function isConnectorError(value: unknown): value is ConnectorError {
  return typeof value === 'object' && value !== null && brand in value;
}
