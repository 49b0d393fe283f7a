import { readFileSync } from 'node:fs';
import { ConnectorError } from '@paceline/engine/connector';
import { Agent, fetch, type Response } from 'undici';
import * as z from 'zod';
import { refusal, unreachable } from './failure.ts';

const largestAnswer = 64 * 1024 * 1024;

export interface Sent {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal: AbortSignal;
}

/** The way to the services of a cloud: bounded, and with all that fails told as connectors do. */
export class Transport {
  readonly #agent: Agent;

  /** @param authority file of the authority that signs the cloud's certificates @throws ConnectorError auth when it cannot be read */
  constructor(authority: string | undefined) {
    const ca = authority === undefined ? undefined : readAuthority(authority);
    this.#agent = new Agent({
      connect: { timeout: 10_000, ...(ca !== undefined && { ca }) },
      // Nova takes minutes to accept many machines when it is busy, and goes on when nobody listens: whoever calls gives up by the signal.
      headersTimeout: 300_000,
      bodyTimeout: 60_000,
      maxResponseSize: largestAnswer,
    });
  }

  /** @param doing for people: `launch web-1` @throws ConnectorError when there is no answer */
  async send(doing: string, url: string, sent: Sent): Promise<Response> {
    try {
      return await fetch(url, { ...sent, dispatcher: this.#agent, redirect: 'error' });
    } catch (error) {
      throw unreachable(doing, error, sent.signal);
    }
  }

  /** The content of an answer. @throws ConnectorError for a refusal, and for what cannot be understood */
  async read<S extends z.ZodType>(response: Response, doing: string, schema: S, signal: AbortSignal): Promise<z.infer<S>> {
    const { status, headers } = response;
    const text = await response.text().catch((error: unknown) => {
      throw unreachable(doing, error, signal);
    });
    if (!response.ok) {
      throw refusal(doing, { status, text, requestId: headers.get('x-openstack-request-id'), retryAfter: headers.get('retry-after') });
    }
    const parsed = schema.safeParse(text === '' ? undefined : parseJson(text));
    if (parsed.success) return parsed.data;
    const why = z.prettifyError(parsed.error).slice(0, 300);
    throw new ConnectorError('unavailable', `Could not ${doing}: the answer cannot be understood: ${why}`);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConnectorError('auth', `Could not read ${path}, the \`cacert\` of the cloud: ${String(error)}`);
  }
}
