import { createHash } from 'node:crypto';
import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https, { type AgentOptions, type RequestOptions } from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import tls from 'node:tls';

export interface Call {
  method: string;
  /** Below the engine's address, such as `/agent/ops`. */
  path: string;
  body?: string | Buffer | Readable;
  headers?: OutgoingHttpHeaders;
  /** Milliseconds of silence after which the request is given up. @default 60000 */
  timeout?: number;
  signal?: AbortSignal;
}

/** An answer that is not a success. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  /** Milliseconds that the server asked us to wait. */
  readonly retryAfter: number;

  constructor(status: number, message: string, retryAfter = 0) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The server will not have us any more (or never would): trying again is of no use. */
export function isFinal(error: unknown): error is HttpError {
  return error instanceof HttpError && [401, 403, 410].includes(error.status);
}

export interface EngineOptions {
  url: string;
  pin?: string | undefined;
  /** Without one until the agent has joined. */
  key?: string | undefined;
}

/** The engine, as an agent reaches it: keep-alive connections, no redirects, no proxies. */
export class Engine {
  readonly #url: URL;
  readonly #headers: OutgoingHttpHeaders;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;

  constructor({ url, pin, key }: EngineOptions) {
    this.#url = new URL(url);
    this.#headers = key ? { authorization: `Bearer ${key}` } : {};
    const secure = this.#url.protocol === 'https:';
    const options: AgentOptions = { keepAlive: true, maxSockets: 8 };
    this.#agent = secure
      ? ((pin ? new PinnedAgent(options, pin) : new https.Agent(options)) as http.Agent)
      : new http.Agent(options);
    this.#request = secure ? (https.request as typeof http.request) : http.request;
  }

  /** Rejects on network errors only; every status resolves. */
  call({ method, path, body, headers, timeout = 60_000, signal }: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sized = typeof body === 'string' || Buffer.isBuffer(body);
      const request = this.#request(new URL(`${this.#url.pathname.replace(/\/$/, '')}${path}`, this.#url), {
        method,
        agent: this.#agent,
        headers: { ...this.#headers, ...(sized && { 'content-length': Buffer.byteLength(body) }), ...headers },
        ...(signal && { signal }),
      });
      request.setTimeout(timeout, () => request.destroy(new Error(`no answer for ${timeout / 1000} s`)));
      request.on('error', reject);
      request.on('response', resolve);
      if (body === undefined || sized) request.end(body);
      else {
        body.on('error', (error) => request.destroy(error));
        request.on('close', () => body.destroy());
        body.pipe(request);
      }
    });
  }

  /** The body of a successful answer; rejects with an `HttpError` otherwise. */
  async text(call: Call): Promise<string> {
    const response = await this.call(call);
    const text = (await readAll(response)).toString();
    if (response.statusCode! < 300) return text;
    throw new HttpError(response.statusCode!, detailOf(text) || `HTTP ${response.statusCode}`, retryAfter(response));
  }

  async json<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const text = await this.text({
      method,
      path,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      ...(signal && { signal }),
    });
    return JSON.parse(text) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** 64 MiB is more than any answer to an agent has; the engine is trusted, a wrong address is not. */
export async function readAll(response: Readable, limit = 64 * 1024 * 1024): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new Error(`an answer of more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What an error answer says, whatever its shape. */
export function detailOf(text: string): string {
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    const inner = (typeof body['error'] === 'object' && body['error'] ? body['error'] : body) as Record<string, unknown>;
    const detail = inner['detail'] ?? inner['message'] ?? inner['title'] ?? inner['error'];
    if (typeof detail === 'string') return detail;
  } catch {}
  return text.slice(0, 500).trim();
}

export function retryAfter(response: IncomingMessage): number {
  const seconds = Number(response.headers['retry-after']);
  return seconds > 0 ? Math.min(seconds, 300) * 1000 : 0;
}

/** Trusts one public key, and no authority. The connection is given out only after the check. */
class PinnedAgent extends https.Agent {
  readonly #pin: string;

  constructor(options: AgentOptions, pin: string) {
    super(options);
    this.#pin = pin;
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, socket: Duplex) => void): undefined {
    const done = callback as (error: Error | null, socket?: Duplex) => void;
    const socket = tls.connect({ ...(options as tls.ConnectionOptions), rejectUnauthorized: false });
    socket.once('error', done);
    socket.once('secureConnect', () => {
      socket.off('error', done);
      const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
      const seen = key && `sha256//${createHash('sha256').update(key).digest('base64')}`;
      if (seen === this.#pin) return done(null, socket);
      socket.destroy();
      done(new Error(`the engine's public key is ${seen ?? 'missing'}, not ${this.#pin}`));
    });
  }
}
