import { hasCode } from '@paceline/connector-host';
import { ConnectorError, isConnectorError, type ConnectorErrorCode } from '@paceline/engine/connector';

interface Meaning {
  code: ConnectorErrorCode;
  hint?: string;
}

/** LXD says much by texts alone, whatever the status; the first that fits counts. */
const texts: [RegExp, Meaning][] = [
  [/reached maximum|exceeds the maximum/i, { code: 'quota', hint: 'The project has limits: raise them, or end machines.' }],
  [/no space left|not enough (free )?space|disk quota exceeded/i, { code: 'capacity', hint: 'The storage pool is full.' }],
  [
    /too many open files|cannot allocate memory|out of memory/i,
    { code: 'capacity', hint: 'The host is at its limits: run fewer machines.' },
  ],
  [
    /busy running|non-reusable operation|database is locked|no available dqlite leader|bad connection|shutting down/i,
    { code: 'unavailable' },
  ],
  [/already exists|already used|UNIQUE constraint/i, { code: 'conflict' }],
  [/i\/o timeout|deadline exceeded/i, { code: 'timeout' }],
  [/not supported|isn't supported|unsupported/i, { code: 'unsupported' }],
  [/not found|couldn't be found|doesn't exist|no such object/i, { code: 'notFound' }],
  [/invalid|doesn't match/i, { code: 'invalid' }],
];

const statuses: Record<number, Meaning> = {
  400: { code: 'invalid' },
  401: { code: 'auth', hint: 'Have the client certificate trusted: `lxc config trust add FILE` on the server.' },
  403: { code: 'forbidden', hint: 'Have the client certificate trusted (`lxc config trust add FILE`), for this project.' },
  404: { code: 'notFound' },
  405: { code: 'unsupported' },
  408: { code: 'timeout' },
  409: { code: 'conflict' },
  412: { code: 'conflict' },
  413: { code: 'invalid' },
  429: { code: 'throttled' },
  501: { code: 'unsupported' },
  502: { code: 'unavailable' },
  503: { code: 'unavailable' },
  504: { code: 'timeout' },
};

/** What LXD's refusal of a request, or the failure of an operation, means. */
export function refusal(doing: string, status: number, text: string): ConnectorError {
  // Being let in comes before what is asked for; in all else the words are more exact than the number.
  const byText = status === 401 || status === 403 ? undefined : texts.find(([pattern]) => pattern.test(text))?.[1];
  const { code, hint } = byText ?? statuses[status] ?? { code: 'internal' };
  return new ConnectorError(code, `Could not ${doing}: ${text}`, {
    provider: { status },
    ...(hint !== undefined && { hint }),
  });
}

const unreached: Record<string, Meaning> = {
  ENOENT: { code: 'unavailable', hint: 'Is LXD or Incus installed and running? Set `socket` to its Unix socket, or `url` to a server.' },
  ECONNREFUSED: { code: 'unavailable', hint: 'Is LXD or Incus running?' },
  EACCES: { code: 'forbidden', hint: 'Only members of its group may use the socket: `usermod -aG lxd USER` (Incus: incus-admin).' },
  EPERM: { code: 'forbidden' },
  ENOTFOUND: { code: 'unavailable', hint: 'The name in `url` is not known.' },
};

/** What a connection that failed means: the server may have done what it was asked all the same. */
export function unreachable(doing: string, thrown: unknown, signal: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) {
    return thrown;
  }
  if (signal.aborted) {
    return new ConnectorError('timeout', `Gave up to ${doing}: the call was aborted`, { cause: signal.reason });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const errno = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  const { code, hint } = unreached[errno] ?? (isAboutTrust(errno) ? untrusted : { code: 'unavailable' });
  return new ConnectorError(code, `Could not ${doing}: ${message}`, {
    cause: thrown,
    provider: { code: errno },
    ...(hint !== undefined && { hint }),
  });
}

const untrusted: Meaning = {
  code: 'auth',
  hint: "Set `serverCertificate` to the server's certificate, or `ca` to the authority that signed it.",
};

function isAboutTrust(code: string): boolean {
  return /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(code);
}

/** The value, or undefined when the server does not know what was asked for. That something else was not found on the way does not count. */
export async function unlessUnknown<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch (error) {
    if (isConnectorError(error) && error.code === 'notFound' && error.details.provider?.status === 404) {
      return undefined;
    }
    throw error;
  }
}

/** A file of the configuration that cannot be read. */
export function unreadable(path: string, thrown: unknown): ConnectorError {
  const why = hasCode(thrown, 'ENOENT') ? 'it is not there' : String(thrown);
  return new ConnectorError('auth', `Could not read ${path}: ${why}`, { cause: thrown, hint: 'Correct the configuration of the cloud.' });
}
