import { Agent, type AgentOptions, type IncomingMessage, type OutgoingHttpHeaders, request as plainRequest } from 'node:http';
import type { Readable } from 'node:stream';
import { tried } from '../tried.ts';
import { secureTransport } from './tls.ts';

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
  tunnel?: string | undefined;
  pin?: string | undefined;
  /** Without one until the agent has joined. */
  key?: string | undefined;
}

/** The engine, as an agent reaches it: keep-alive connections, no redirects, no proxies. */
export class Engine {
  readonly #url: URL;
  readonly #headers: OutgoingHttpHeaders;
  readonly #transport: Promise<Transport>;

  constructor({ url, tunnel, pin, key }: EngineOptions) {
    this.#url = new URL(url);
    this.#headers = key ? { authorization: `Bearer ${key}` } : {};
    this.#transport = transportFor(this.#url, pin, tunnel);
  }

  /** Rejects on network errors only; every status resolves. */
  async call(call: Call): Promise<IncomingMessage> {
    const { method, path, body, headers, timeout = 60_000, signal } = call;
    const transport = await this.#transport;
    return new Promise((resolve, reject) => {
      const sized = typeof body === 'string' || Buffer.isBuffer(body);
      const request = transport.request(new URL(`${this.#url.pathname.replace(/\/$/, '')}${path}`, this.#url), {
        method,
        agent: transport.agent,
        headers: { ...this.#headers, ...(sized && { 'content-length': Buffer.byteLength(body) }), ...headers },
        ...(signal && { signal }),
      });
      request.setTimeout(timeout, () => request.destroy(silence(timeout)));
      request.on('error', (error: NodeJS.ErrnoException) => {
        // The engine closed a connection that had been idle: that says nothing about the engine.
        const stale = request.reusedSocket && error.code === 'ECONNRESET' && (body === undefined || sized);
        if (stale && !signal?.aborted) resolve(this.call(call));
        else reject(error);
      });
      request.on('response', resolve);
      // The connection is for both ways now, and silence on it still means that it is dead.
      request.on('upgrade', (response, socket, head) => {
        socket.setTimeout(timeout, () => socket.destroy(silence(timeout)));
        socket.unshift(head);
        resolve(response);
      });
      if (body === undefined || sized) request.end(body);
      else {
        body.on('error', (error) => request.destroy(error));
        request.on('close', () => body.destroy());
        body.pipe(request);
      }
    });
  }

  /** A successful answer; rejects with an `HttpError` otherwise. */
  async open(call: Call): Promise<IncomingMessage> {
    const response = await this.call(call);
    const status = response.statusCode!;
    if (status < 300) return response;
    const seconds = Number(response.headers['retry-after']);
    const asked = seconds > 0 ? Math.min(seconds, 300) * 1000 : 0;
    throw new HttpError(status, detailOf((await readAll(response)).toString()) || `HTTP ${status}`, asked);
  }

  /** The body of a successful answer. */
  async text(call: Call): Promise<string> {
    return (await readAll(await this.open(call))).toString();
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
    void this.#transport.then(({ agent }) => agent.destroy());
  }
}

/** How requests leave this machine. */
export interface Transport {
  agent: Agent;
  request: typeof plainRequest;
}

const agentOptions = { keepAlive: true, maxSockets: 8 };

async function transportFor(url: URL, pin: string | undefined, socketPath: string | undefined): Promise<Transport> {
  if (url.protocol === 'https:') return secureTransport(agentOptions, pin);
  return { agent: new Agent({ ...agentOptions, socketPath } as AgentOptions), request: plainRequest };
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

/** @param timeout in milliseconds */
export function silence(timeout: number): Error {
  return new Error(`no answer for ${timeout / 1000} s`);
}

/** What an error answer says: a problem document, or whatever a proxy has to say. */
function detailOf(text: string): string {
  const detail = tried(() => (JSON.parse(text) as { detail?: unknown }).detail);
  return typeof detail === 'string' ? detail : text.slice(0, 500).trim();
}
