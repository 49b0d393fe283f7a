import { errorCatalogue, isPacelineError, PacelineError, type ErrorCode } from '@paceline/model';
import type { Endpoint } from './client-request.ts';
import { problem } from './runs.ts';

/** What a server says with an answer that is none. */
export async function errorOf(response: Response): Promise<PacelineError> {
  const text = await response.text().catch(() => '');
  const parsed = problem.safeParse(parseJson(text));
  if (parsed.success) {
    const { code, detail, hint, type: _type, title: _title, status: _status, ...data } = parsed.data;
    // A newer server has codes that this client does not know.
    return new PacelineError(isKnown(code) ? code : codeOfStatus(response.status), detail, {
      data,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return new PacelineError(codeOfStatus(response.status), `${response.url} answers ${response.status} ${response.statusText}`.trim(), {
    hint: 'This does not look like a Paceline server, or something stands in between.',
  });
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'PACELINE_UNAUTHENTICATED';
  if (status === 403) return 'PACELINE_FORBIDDEN';
  if (status === 404) return 'PACELINE_NOT_FOUND';
  if (status === 413) return 'PACELINE_TOO_LARGE';
  if (status === 429) return 'PACELINE_RATE_LIMITED';
  return status >= 500 ? 'PACELINE_UNREACHABLE' : 'PACELINE_REQUEST_INVALID';
}

/** Whether the same may be answered in a moment: the server cannot be reached, or has too much to do. */
export function isPassing(error: unknown): error is PacelineError {
  return isPacelineError(error) && (error.status === 429 || error.status === 502 || error.status === 503 || error.status === 504);
}

/** Why there was no answer: a signal of whoever asked, or what went wrong on the way. */
export function explain(endpoint: Endpoint, error: unknown, late: boolean, ...asked: (AbortSignal | undefined)[]): unknown {
  if (isPacelineError(error)) return error;
  const aborted = asked.find((signal) => signal?.aborted);
  if (aborted !== undefined) return aborted.reason;
  if (late) return unreachable(endpoint, `no answer within ${endpoint.timeoutMs / 1000} s`, error);
  return unreachable(endpoint, reasonOf(error), error);
}

export function unreachable({ url }: Endpoint, reason: string, cause?: unknown): PacelineError {
  return new PacelineError('PACELINE_UNREACHABLE', `${url} cannot be reached: ${reason}`, {
    cause,
    hint: 'Check the address of the server, that it runs, and the network in between.',
  });
}

/** `fetch` says only that it failed; why, its cause knows. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? reasonOf(cause) : error.message;
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
