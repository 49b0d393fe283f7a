import { ConnectorError, isConnectorError, type ConnectorErrorCode } from '@paceline/engine/connector';

interface Meaning {
  code: ConnectorErrorCode;
  hint?: string;
}

const newCredentials = 'Log in again, or check the credentials: `aws sts get-caller-identity` shows whose they are.';

/** The first that fits the code of EC2 counts. */
const meanings: [RegExp, Meaning][] = [
  [
    /^(RequestLimitExceeded|Throttling\w*|TooManyRequests\w*|RequestThrottled\w*|BandwidthLimitExceeded|EC2ThrottledException)$/,
    { code: 'throttled' },
  ],
  [
    /^(Insufficient(Instance|Host|ReservedInstance)?Capacity|InsufficientFreeAddressesInSubnet|SpotMaxPriceTooLow|Unsupported|UnsupportedHostConfiguration)$/,
    { code: 'capacity', hint: 'Try another zone (`subnet`), instance type or region.' },
  ],
  [
    /(LimitExceeded|QuotaExceeded|^MaxSpotInstanceCountExceeded|^InstanceLimitExceeded|^ResourceLimitExceeded)$/,
    { code: 'quota', hint: 'Ask AWS for more under Service Quotas, or end machines.' },
  ],
  [
    /^(RequestExpired|SignatureDoesNotMatch|InvalidSignature\w*|RequestInTheFuture)$/,
    { code: 'auth', hint: `Is the clock of this host right? ${newCredentials}` },
  ],
  [
    /^(AuthFailure|UnrecognizedClientException|InvalidClientTokenId|ExpiredToken\w*|IncompleteSignature|MissingAuthenticationToken|CredentialsProviderError|TokenProviderError|Blocked|OptInRequired|PendingVerification)$/,
    { code: 'auth', hint: newCredentials },
  ],
  [
    /^(UnauthorizedOperation|AccessDenied\w*|OperationNotPermitted)$/,
    { code: 'forbidden', hint: 'The policy of these credentials does not allow it; the README of this connector shows one that does.' },
  ],
  [
    /^(IdempotentParameterMismatch|InvalidAMIName\.Duplicate|.*\.Duplicate|DependencyViolation|.*\.InUse|IncorrectInstanceState|IncorrectState)$/,
    { code: 'conflict' },
  ],
  // A thing that was just made may not be seen everywhere yet.
  [/^InvalidGroup\.NotFound$/, { code: 'unavailable' }],
  [/(NotFound(Exception)?|^InvalidAMIID\.Unavailable)$/, { code: 'notFound' }],
  [
    /^(Invalid\w*|InvalidAMIID\.Malformed|Invalid\w+\.\w+|MissingParameter|UnknownParameter|ValidationError|Malformed\w*)$/,
    { code: 'invalid' },
  ],
  [/^(Unavailable|ServiceUnavailable|InternalError|InternalFailure|InternalServerError|Server\.\w+)$/, { code: 'unavailable' }],
  [/^(RequestTimeout\w*|TimeoutError|GatewayTimeout)$/, { code: 'timeout' }],
  [/^(UnsupportedOperation|UnsupportedInstanceAttribute|UnknownOperation\w*|InvalidAction)$/, { code: 'unsupported' }],
];

const unreached: Record<string, Meaning> = {
  ENOTFOUND: { code: 'unavailable', hint: 'Is there a region of this name, and a way to it?' },
  EAI_AGAIN: { code: 'unavailable', hint: 'Names cannot be looked up on this host now.' },
  ECONNREFUSED: { code: 'unavailable' },
};

/** What the SDK throws, as far as it is needed here. */
interface Thrown {
  name: string;
  message: string;
  code?: unknown;
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: { headers?: Record<string, string> };
}

/** Turns what the SDK throws into a ConnectorError that says what was being done. */
export function toConnectorError(thrown: unknown, doing: string, signal?: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) return thrown;
  if (signal?.aborted === true) {
    return new ConnectorError('timeout', `Gave up to ${doing}: the call was aborted`, { cause: signal.reason });
  }
  const error: Thrown = thrown instanceof Error ? thrown : { name: 'Error', message: String(thrown) };
  const { httpStatusCode: status, requestId } = error.$metadata ?? {};
  const errno = typeof error.code === 'string' ? error.code : '';
  const { code, hint } = meanings.find(([pattern]) => pattern.test(error.name))?.[1] ?? unreached[errno] ?? byStatus(status);
  const retryAfterMs = Number(error.$response?.headers?.['retry-after']) * 1000;
  return new ConnectorError(code, `Could not ${doing}: ${firstLine(error.message)}`, {
    cause: thrown,
    provider: {
      code: errno === '' ? error.name : errno,
      ...(status !== undefined && { status }),
      ...(requestId !== undefined && { requestId }),
    },
    ...(hint !== undefined && { hint }),
    ...(retryAfterMs > 0 && { retryAfterMs }),
  });
}

function byStatus(status: number | undefined): Meaning {
  if (status === undefined) return { code: 'unavailable' };
  if (status === 401) return { code: 'auth', hint: newCredentials };
  if (status === 403) return { code: 'forbidden' };
  if (status === 429 || status === 503) return { code: 'throttled' };
  if (status >= 500 || status < 300) return { code: 'unavailable' };
  return { code: 'invalid' };
}

/** Something between us and AWS may answer with whole pages. */
function firstLine(message: string): string {
  const line = message.split('\n', 1)[0] ?? '';
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}

/** Whether EC2 has said that there is no such thing. */
export function isUnknown(error: unknown): boolean {
  return isConnectorError(error) && error.code === 'notFound';
}
