import { errorCatalogue, isPacelineError, PacelineError, type ErrorCode } from '@paceline/model';
import type * as z from 'zod';
import { problem } from './runs.ts';

/** Where a client asks, and how. */
export interface Endpoint {
  /** Without a trailing slash. */
  url: string;
  token: string;
  fetch: typeof globalThis.fetch;
  signal: AbortSignal | undefined;
  /** How long an answer may take to begin, and then to go on, in milliseconds. */
  timeoutMs: number;
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/**
 * Sends a request and waits for the head of a good answer.
 * @throws the error of the server's problem document, PACELINE_UNREACHABLE when there is no answer in time
 */
export async function send(endpoint: Endpoint, path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', query = {}, body, headers } = options;
  const url = new URL(endpoint.url + path);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), endpoint.timeoutMs);
  const signal = anySignal(endpoint.signal, options.signal, late.signal);
  try {
    const response = await endpoint.fetch(url, {
      method,
      signal,
      headers: {
        authorization: `Bearer ${endpoint.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw await errorOf(response);
    return response;
  } catch (error) {
    throw explain(endpoint, error, late.signal.aborted, endpoint.signal, options.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends a request whose answer is JSON of a known shape. */
export async function sendForJson<T>(endpoint: Endpoint, path: string, schema: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
  const response = await send(endpoint, path, options);
  const text = await textOf(bytesOf(endpoint, response, endpoint.timeoutMs));
  return decode(endpoint, path, schema, text);
}

/**
 * Reads JSON of a known shape. A newer server may say more than this client knows; what the client does know has to be as it should.
 * @throws PACELINE_INTERNAL
 */
export function decode<T>(endpoint: Endpoint, path: string, schema: z.ZodType<T>, text: string): T {
  const data = parseJson(text);
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  if (parsed.error.issues.every(({ code }) => code === 'unrecognized_keys')) return data as T;
  throw new PacelineError('PACELINE_INTERNAL', `${endpoint.url}${path} answers with something that is not as agreed`, {
    cause: parsed.error,
    hint: 'The versions of client and server may not fit together, or another service listens there.',
  });
}

/** The bytes of an answer; a silence that lasts too long ends them with an error. */
export async function* bytesOf(
  endpoint: Endpoint,
  response: Response,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(unreachable(endpoint, `nothing was heard for ${silenceMs / 1000} s`)), silenceMs);
      });
      const { done, value } = await Promise.race([reader.read(), silence])
        .catch((error: unknown) => {
          throw explain(endpoint, error, false, endpoint.signal, signal);
        })
        .finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

export function anySignal(...signals: (AbortSignal | undefined)[]): AbortSignal {
  return AbortSignal.any(signals.filter((signal) => signal !== undefined));
}

async function errorOf(response: Response): Promise<PacelineError> {
  const text = await response.text().catch(() => '');
  const parsed = problem.safeParse(parseJson(text));
  if (parsed.success && isKnown(parsed.data.code)) {
    const { code, detail, hint, type: _type, title: _title, status: _status, ...data } = parsed.data;
    return new PacelineError(code, detail, { data, ...(hint === undefined ? {} : { hint }) });
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

function explain(endpoint: Endpoint, error: unknown, late: boolean, ...asked: (AbortSignal | undefined)[]): unknown {
  if (isPacelineError(error)) return error;
  const aborted = asked.find((signal) => signal?.aborted);
  if (aborted !== undefined) return aborted.reason;
  if (late) return unreachable(endpoint, `no answer within ${endpoint.timeoutMs / 1000} s`, error);
  return unreachable(endpoint, reasonOf(error), error);
}

function unreachable({ url }: Endpoint, reason: string, cause?: unknown): PacelineError {
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

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
