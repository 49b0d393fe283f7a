import { PacelineError } from '@paceline/model';
import type * as z from 'zod';
import { pause } from './pause.ts';
import { errorOf, explain, parseJson, unreachable } from './client-errors.ts';

/** Where a client asks, and how. */
export interface Endpoint {
  /** Without a trailing slash. */
  url: string;
  token: string | undefined;
  fetch: typeof globalThis.fetch;
  signal: AbortSignal | undefined;
  /** How long an answer may take to begin, and then to go on, in milliseconds. */
  timeoutMs: number;
  /** How long a server that asks for it is asked again, in milliseconds. */
  busyMs: number;
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** How long an answer may take to begin, in milliseconds. @default that of the endpoint */
  timeoutMs?: number;
  /** The request does no harm when it is made twice. @default true but for POST */
  repeatable?: boolean;
}

/** How long an answer may take for which clouds remove one thing after the other, or fetch an image to see what it is, in milliseconds. */
export const cloudsMs = 5 * 60_000;

/**
 * Sends a request and waits for the head of a good answer. When the server says that it cannot answer for a moment (503 with
 * `retry-after`), a request that does no harm twice is sent again.
 * @throws the error of the server's problem document, PACELINE_UNREACHABLE when there is no answer in time
 */
export async function send(endpoint: Endpoint, path: string, options: RequestOptions = {}): Promise<Response> {
  const deadline = performance.now() + endpoint.busyMs;
  for (let attempt = 0; ; attempt++) {
    const answer = await sendOnce(endpoint, path, options);
    if ('ok' in answer) return answer;
    const { error, retryAfterMs } = answer;
    if (!(options.repeatable ?? options.method !== 'POST') || retryAfterMs === undefined) throw error;
    // Many clients of one server should not come back in step.
    const wait = Math.max(retryAfterMs, firstPauseMs * 2 ** attempt) * (1 + Math.random() / 4);
    if (performance.now() + wait > deadline) throw error;
    const signal = anySignal(endpoint.signal, options.signal);
    await pause(wait, signal);
    signal.throwIfAborted();
  }
}

const firstPauseMs = 100;

interface Refusal {
  error: PacelineError;
  /** When the server wants to be asked again, if it does. */
  retryAfterMs: number | undefined;
}

async function sendOnce(endpoint: Endpoint, path: string, options: RequestOptions): Promise<Response | Refusal> {
  const { method = 'GET', query = {}, body, headers } = options;
  const url = new URL(endpoint.url + path);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), options.timeoutMs ?? endpoint.timeoutMs);
  const signal = anySignal(endpoint.signal, options.signal, late.signal);
  try {
    const response = await endpoint.fetch(url, {
      method,
      signal,
      headers: {
        ...(endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.ok ? response : { error: await errorOf(response), retryAfterMs: retryAfterMs(response) };
  } catch (error) {
    throw explain(
      { ...endpoint, timeoutMs: options.timeoutMs ?? endpoint.timeoutMs },
      error,
      late.signal.aborted,
      endpoint.signal,
      options.signal,
    );
  } finally {
    clearTimeout(timer);
  }
}

function retryAfterMs({ status, headers }: Response): number | undefined {
  const seconds = headers.get('retry-after') ?? '';
  return status === 503 && /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}

/** Sends a request whose answer is JSON of a known shape. */
export async function sendForJson<T>(endpoint: Endpoint, path: string, schema: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
  const response = await send(endpoint, path, options);
  const text = await textOf(bytesOf(endpoint, response, endpoint.timeoutMs));
  return decode(endpoint, path, schema, text);
}

/**
 * Reads JSON of a known shape.
 * @throws PACELINE_INTERNAL
 */
export function decode<T>(endpoint: Endpoint, path: string, schema: z.ZodType<T>, text: string): T {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
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
      let timer: ReturnType<typeof setTimeout> | undefined;
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

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
