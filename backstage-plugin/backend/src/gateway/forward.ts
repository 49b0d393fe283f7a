import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { onBehalfOfHeader } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type { Request, Response } from 'express';
import { tokenRefused } from './problem.ts';

/** Where requests are handed on to. */
export interface Upstream {
  url: string;
  token: string;
}

/** How long the head of an answer may take, in milliseconds. */
const answerMs = 30_000;
/** After this time a stream is cut, and permissions are asked for anew when it is opened again, in milliseconds. */
export const streamMs = 10 * 60_000;
const requestHeaders = ['accept', 'last-event-id', 'content-type'];
const responseHeaders = ['content-type', 'content-length', 'content-disposition', 'etag', 'retry-after'];

/**
 * Hands a request on to the server, in the name of a user, and its answer back as it comes.
 * @param path on the server, encoded, without a query
 * @throws PACELINE_UNREACHABLE when there is no answer in time, or the token is not accepted
 */
export async function forward({ url, token }: Upstream, request: Request, response: Response, path: string, user: string): Promise<void> {
  const left = new AbortController();
  response.on('close', () => left.abort());
  const late = setTimeout(() => left.abort(), answerMs);
  const headers = new Headers({ authorization: `Bearer ${token}`, [onBehalfOfHeader]: user });
  for (const name of requestHeaders) {
    const value = request.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  const { search } = new URL(request.originalUrl, 'http://backstage');
  const body: unknown = request.body;
  const carries = request.method === 'POST' || request.method === 'PUT';
  const answer = await fetch(`${url}${path}${search}`, {
    method: request.method,
    headers,
    signal: left.signal,
    redirect: 'error',
    ...(carries && request.header('content-type') !== undefined ? { body: JSON.stringify(body) } : {}),
  })
    .catch((cause: unknown) => {
      throw new PacelineError('PACELINE_UNREACHABLE', 'The Paceline server does not answer', { cause });
    })
    .finally(() => clearTimeout(late));
  if (answer.status === 401) {
    await answer.body?.cancel();
    throw tokenRefused();
  }
  response.status(answer.status);
  for (const name of responseHeaders) {
    const value = answer.headers.get(name);
    if (value !== null) response.setHeader(name, value);
  }
  const streams = answer.headers.get('content-type')?.startsWith('text/event-stream') === true;
  // Nothing in between may keep or compress what is to be seen at once.
  response.setHeader('cache-control', streams ? 'no-store, no-transform' : 'no-store');
  // What machines have sent is never to be taken for a page of Backstage.
  response.setHeader('x-content-type-options', 'nosniff');
  response.flushHeaders();
  const over = streams ? setTimeout(() => left.abort(), streamMs) : undefined;
  try {
    if (answer.body === null) response.end();
    else await pipeline(Readable.from(answer.body), response);
  } catch {
    // Either side has gone; whoever reads notices, as the answer is not at its end.
    response.destroy();
  } finally {
    clearTimeout(over);
  }
}
