import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';
import { answerSchema, operationSchema, type Operation } from './answer.ts';
import type { Config } from './config.ts';
import { isLocal, openEndpoint, type Endpoint } from './endpoint.ts';
import { refusal, unreachable } from './failure.ts';

/** What is said to a server, and what it answers. All failures are ConnectorErrors. */
export interface Client {
  /** For people: where the server is. */
  name(): Promise<string>;
  /** Its machines are on this host. */
  readonly local: boolean;
  get<S extends z.ZodType>(doing: string, path: string, schema: S, options: CallOptions): Promise<z.infer<S>>;
  /** The bytes of a log or file. */
  read(doing: string, path: string, options: CallOptions): Promise<Buffer>;
  /** Has something done, and waits until it is done, at most `limit` seconds. */
  change(doing: string, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, options: ChangeOptions): Promise<Operation | undefined>;
  close(): void;
}

export interface CallOptions {
  signal: AbortSignal;
  query?: Record<string, string>;
}

export interface ChangeOptions extends CallOptions {
  /** JSON, or bytes as they are. */
  body?: unknown;
  headers?: Record<string, string>;
  /** How long the operation may take, in seconds. @default 60 */
  limit?: number;
}

/** The longest answer that is taken, in bytes. */
const longestAnswer = 64 * 1024 * 1024;

/** Status codes of operations that go on. */
const success = 200;
const failures = [400, 401];

export function createClient(config: Config): Client {
  let opened: Promise<Endpoint> | undefined;
  const endpoint = async (): Promise<Endpoint> => {
    opened ??= openEndpoint(config);
    try {
      return await opened;
    } catch (error) {
      // Files may be put right while the engine runs.
      opened = undefined;
      throw error;
    }
  };

  const send = async (doing: string, method: string, path: string, options: ChangeOptions): Promise<Reply> => {
    const place = await endpoint();
    const [plain = '', own] = path.split('?');
    const query = new URLSearchParams({ ...Object.fromEntries(new URLSearchParams(own)), project: config.project, ...options.query });
    try {
      return await exchange(place, method, `${plain}?${query.toString()}`, options);
    } catch (error) {
      throw unreachable(`${doing} (${place.name})`, error, options.signal);
    }
  };

  const ask = async (doing: string, method: string, path: string, options: ChangeOptions): Promise<z.infer<typeof answerSchema>> => {
    const { status, body } = await send(doing, method, path, options);
    const answer = parseAnswer(body);
    if (answer === undefined) {
      throw refusal(doing, status < 400 ? 502 : status, `the server does not speak as LXD does: ${body.subarray(0, 200).toString()}`);
    }
    if (answer.type === 'error') {
      throw refusal(doing, answer.error_code, answer.error);
    }
    return answer;
  };

  const wait = async (doing: string, operation: string, limit: number, signal: AbortSignal): Promise<Operation> => {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout((limit + 10) * 1000)]);
    const answer = await ask(doing, 'GET', `${operation.split('?')[0]}/wait`, { query: { timeout: String(limit) }, signal: bounded }).catch(
      (error: unknown) => {
        // LXD forgets an operation seconds after its end. Whoever asks too late has to look at what it was about.
        throw error instanceof ConnectorError && error.details.provider?.status === 404
          ? new ConnectorError('unavailable', `Could not ${doing}: the server has forgotten how it went`, { cause: error })
          : error;
      },
    );
    const done = operationSchema.parse(answer.type === 'sync' ? answer.metadata : undefined);
    if (failures.includes(done.status_code)) {
      throw refusal(doing, 500, done.err);
    }
    if (done.status_code !== success) {
      throw new ConnectorError('timeout', `Could not ${doing}: the server was not ready with it in ${limit} s`);
    }
    return done;
  };

  return {
    local: isLocal(config),
    name: async () => (await endpoint()).name,
    async get(doing, path, schema, options) {
      const answer = await ask(doing, 'GET', path, options);
      const parsed = schema.safeParse(answer.type === 'sync' ? answer.metadata : undefined);
      if (!parsed.success) {
        throw new ConnectorError('internal', `Could not ${doing}: the answer is not what it should be: ${z.prettifyError(parsed.error)}`);
      }
      return parsed.data;
    },
    async read(doing, path, options) {
      const { status, body } = await send(doing, 'GET', path, options);
      if (status !== 200) {
        const answer = parseAnswer(body);
        throw refusal(doing, status, answer?.type === 'error' ? answer.error : body.toString());
      }
      return body;
    },
    async change(doing, method, path, options) {
      const answer = await ask(doing, method, path, options);
      return answer.type === 'async' ? wait(doing, answer.operation, options.limit ?? 60, options.signal) : undefined;
    },
    close() {
      void opened?.then(
        (place) => place.close(),
        () => undefined,
      );
    },
  };
}

interface Reply {
  status: number;
  body: Buffer;
}

function exchange({ secure, options }: Endpoint, method: string, path: string, call: ChangeOptions): Promise<Reply> {
  const bytes = Buffer.isBuffer(call.body) ? call.body : call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const headers = { 'content-type': 'application/json', 'content-length': bytes?.length ?? 0, ...call.headers };
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)({ ...options, method, path, headers, signal: call.signal }, (response) => {
      collect(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    request.on('error', reject);
    request.end(bytes);
  });
}

async function collect(response: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > longestAnswer) {
      throw new Error('the answer is too long');
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function parseAnswer(body: Buffer): z.infer<typeof answerSchema> | undefined {
  try {
    return answerSchema.parse(JSON.parse(body.toString()));
  } catch {
    return undefined;
  }
}
