import { ConnectorError, isConnectorError, type ConnectorErrorCode } from '@paceline/engine/connector';

interface Meaning {
  code: ConnectorErrorCode;
  hint?: string;
}

const quota: Meaning = { code: 'quota', hint: 'Ask the operator for a larger quota, or end machines: `openstack limits show --absolute`.' };
const capacity: Meaning = { code: 'capacity', hint: 'Try a smaller flavor, another zone or another cloud.' };

/** What OpenStack means by its words, whatever the status; the first that fits counts. */
const words: [RegExp, Meaning][] = [
  [/quota exceeded|exceeded for resources|over ?quota|quota_/i, quota],
  [
    /no valid host|no more ip addresses|no more floating ip|ipaddressgenerationfailure|externalipaddressexhausted|not enough (resources|hosts)/i,
    capacity,
  ],
  // A group goes with the last machine of its run, which may be this moment; a page begins where a machine was that has ended since.
  [/security ?group .*(not found|does not exist|is not associated)|marker .*not found/i, { code: 'unavailable' }],
  [/can not find requested image|image .*could not be found|image .*not found/i, { code: 'notFound' }],
];

const newCredentials = 'Check the credentials: `openstack token issue` uses the same.';

const statuses: Record<number, Meaning> = {
  401: { code: 'auth', hint: newCredentials },
  403: { code: 'forbidden', hint: 'The role of this user in the project does not allow it.' },
  404: { code: 'notFound' },
  408: { code: 'timeout' },
  409: { code: 'conflict' },
  413: quota,
  429: { code: 'throttled' },
  500: { code: 'unavailable' },
  501: { code: 'unsupported' },
  502: { code: 'unavailable' },
  503: { code: 'unavailable' },
  504: { code: 'timeout' },
};

/** Whether these words are about a cloud without room. */
export function isCapacity(said: string): boolean {
  return words.find(([pattern]) => pattern.test(said))?.[1] === capacity;
}

export interface Refusal {
  status: number;
  text: string;
  requestId: string | null;
  retryAfter: string | null;
}

/** What a service's refusal means. @param doing for people: `launch web-1` */
export function refusal(doing: string, { status, text, requestId, retryAfter }: Refusal): ConnectorError {
  const said = saidIn(text);
  const retryAfterMs = Number(retryAfter) * 1000;
  const byWords = status === 401 || status >= 500 ? undefined : words.find(([pattern]) => pattern.test(said))?.[1];
  // Older services and proxies say 413 to those who ask too often.
  const byStatus = status === 413 && retryAfterMs > 0 ? { code: 'throttled' as const } : statuses[status];
  const { code, hint } = byWords ?? byStatus ?? { code: status >= 400 && status < 500 ? ('invalid' as const) : ('unavailable' as const) };
  return new ConnectorError(code, `Could not ${doing}: ${said === '' ? `the answer was ${status}` : said}`, {
    provider: { status, ...(requestId !== null && { requestId }) },
    ...(hint !== undefined && { hint }),
    ...(retryAfterMs > 0 && { retryAfterMs }),
  });
}

/** The message in an answer; each service wraps it in its own way. Whole pages are not shown, nor what was sent. */
function saidIn(text: string): string {
  let said = text;
  try {
    const parsed: unknown = JSON.parse(text);
    said = messageIn(parsed) ?? '';
  } catch {
    if (/^\s*</.test(text)) said = /<title>([^<]*)/i.exec(text)?.[1] ?? '';
  }
  const [line = ''] = said
    .replace(/(user_data\. ).*/s, '$1It is too long or not base64.')
    .trim()
    .split('\n', 1);
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}

function messageIn(value: unknown, depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null || depth > 2) return undefined;
  if ('message' in value && typeof value.message === 'string') {
    return 'type' in value && typeof value.type === 'string' ? `${value.message} (${value.type})` : value.message;
  }
  return Object.values(value)
    .map((inner) => messageIn(inner, depth + 1))
    .find((message) => message !== undefined);
}

const unreached: Record<string, Meaning> = {
  ENOTFOUND: { code: 'unavailable', hint: 'The name in `auth_url`, or in the catalogue of the cloud, is not known here.' },
  EAI_AGAIN: { code: 'unavailable', hint: 'Names cannot be looked up on this host now.' },
};
const untrusted: Meaning = { code: 'auth', hint: 'Set `cacert` in clouds.yaml to the authority that has signed the certificate.' };

/** What a connection that failed means: the service may have done what it was asked all the same. */
export function unreachable(doing: string, thrown: unknown, signal: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) return thrown;
  if (signal.aborted) return new ConnectorError('timeout', `Gave up to ${doing}: the call was aborted`, { cause: signal.reason });
  const error = innermost(thrown);
  const errno = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const { code, hint } =
    unreached[errno] ?? (/^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/.test(errno) ? untrusted : { code: 'unavailable' });
  return new ConnectorError(code, `Could not ${doing}: ${error.message === '' ? errno : error.message}`, {
    cause: thrown,
    provider: { code: errno },
    ...(hint !== undefined && { hint }),
  });
}

/** fetch wraps what has happened. */
function innermost(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return error.cause instanceof Error ? innermost(error.cause) : error;
}

/** Undefined instead of a failure for what is not there. */
export async function unlessUnknown<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch (error) {
    if (isConnectorError(error) && error.details.provider?.status === 404) return undefined;
    throw error;
  }
}

/** Undefined instead of a failure where somebody else was faster, or still uses it. */
export async function unlessConflict<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value;
  } catch (error) {
    if (isConnectorError(error) && error.code === 'conflict') return undefined;
    throw error;
  }
}
