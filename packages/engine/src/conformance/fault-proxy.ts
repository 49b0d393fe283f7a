import { createServer, request as send, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** A request that has come whole. */
export interface ProxiedRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What is answered instead of what the server would say. */
export interface ProxiedAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/**
 * What goes wrong with a request: nothing of it reaches the server (`cut`), it does what it was asked and nobody hears of it (`lose`),
 * its answer breaks off in the middle (`truncate`), it never comes (`hang`), or another one comes (`answer`).
 */
export type ProxyFault = 'cut' | 'lose' | 'truncate' | 'hang' | { answer: ProxiedAnswer };

/** Stands between a connector and a server of HTTP, and does to requests what networks and clouds do. */
export interface FaultProxy extends AsyncDisposable {
  url: string;
  /** Every request that has come, in its order. */
  seen: ProxiedRequest[];
  /** Asked for every request when it has come. @default nothing goes wrong */
  fault: (request: ProxiedRequest) => ProxyFault | undefined;
  /**
   * What requests with one key are answered with: the first one's answer, also while it is on its way. It lends a server what a real
   * cloud has: that it knows a token again. @default all are passed on
   */
  sameAs: (request: ProxiedRequest) => string | undefined;
  /** Makes a body of one that the server does not understand and the real cloud does. @default as it is */
  adapt: (request: ProxiedRequest) => string;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** @param target where requests go, such as `http://127.0.0.1:5000` */
export async function openFaultProxy(target: string): Promise<FaultProxy> {
  const known = new Map<string, Promise<Answer>>();
  const pass = (request: ProxiedRequest): Promise<Answer> => {
    const key = proxy.sameAs(request);
    const ask = (): Promise<Answer> => forward(target, { ...request, body: proxy.adapt(request) });
    if (key === undefined) return ask();
    const answer = known.get(key) ?? ask();
    known.set(key, answer);
    // A server forgets what it has refused.
    answer.then(
      ({ status }) => status >= 400 && known.delete(key),
      () => known.delete(key),
    );
    return answer;
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const request = { method, path, headers, body: (await bodyOf(incoming)).toString('latin1') };
    proxy.seen.push(request);
    const fault = proxy.fault(request);
    if (fault === 'cut') return void response.destroy();
    if (typeof fault === 'object') return void response.writeHead(fault.answer.status, fault.answer.headers).end(fault.answer.body);
    const { status, headers: answered, body } = await pass(request);
    if (fault === 'hang') return;
    if (fault === 'lose') return void response.destroy();
    delete answered['transfer-encoding'];
    response.writeHead(status, { ...answered, 'content-length': body.length });
    if (fault === undefined) response.end(body);
    else response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
  };
  const server = createServer((incoming, response) => void serve(incoming, response).catch(() => response.destroy()));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    seen: [],
    fault: () => undefined,
    sameAs: () => undefined,
    adapt: ({ body }) => body,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

async function forward(target: string, { method, path, headers, body }: ProxiedRequest): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = send(
    new URL(path, target),
    { method, headers: { ...headers, 'content-length': body.length, connection: 'close' } },
    resolve,
  );
  outgoing.once('error', reject).end(Buffer.from(body, 'latin1'));
  const answer = await promise;
  return { status: answer.statusCode ?? 500, headers: answer.headers, body: await bodyOf(answer) };
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  await pipeline(message, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) parts.push(chunk);
  });
  return Buffer.concat(parts);
}
