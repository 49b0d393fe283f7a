import { PacelineError } from '@paceline/model';
import * as z from 'zod';
import { defaultPatience, follow, type FollowOptions, type Patience } from './client-follow.ts';
import { bytesOf, cloudsMs, send, sendForJson, type Endpoint, type RequestOptions } from './client-request.ts';
import {
  createdRun,
  eventList,
  eventView,
  logList,
  logView,
  parameterList,
  parameterView,
  reapReport,
  reportList,
  runChange,
  runDetail,
  runList,
  serverInfo,
  type CreatedRun,
  type EventView,
  type LogView,
  type ParameterView,
  type ReapReport,
  type ReportView,
  type RunChange,
  type RunDetail,
  type RunRequest,
  type RunSummary,
  type ServerInfo,
} from './runs.ts';
import { accountsClient, type AccountsClient } from './client-accounts.ts';
import { cloudSurveys, usageReport, type CloudSurvey, type UsageReport } from './surroundings.ts';
import { consolePiece, wayInAnswer, type ConsolePiece, type WayInAnswer } from './machines.ts';
import { imagesClient, type ImagesClient } from './client-images.ts';
import { modulesClient, type ModulesClient } from './client-modules.ts';
import { scaleAnswer, type ScaleAnswer, type ScaleBody } from './scale.ts';

export interface ClientOptions {
  /** Address of the server, such as `https://paceline.example.org`. */
  url: string;
  /** A personal token, the operator's, or that of one run. Without one, `fetch` sees to the credentials. */
  token?: string;
  /** Default: the global one. */
  fetch?: typeof globalThis.fetch;
  /** Ends every call and stream. */
  signal?: AbortSignal;
  /** How long an answer may take, in milliseconds. @default 30000 */
  timeoutMs?: number;
  /**
   * How long requests are repeated while the server says that it cannot answer for a moment, in milliseconds. Those that start or
   * abort a run are never repeated. @default 20000
   */
  busyMs?: number;
  /** How hard streams try to come back. */
  patience?: Partial<Patience>;
}

export interface Page {
  /** The last item that is known already. */
  after?: number;
  limit?: number;
}

interface RunListQuery {
  active?: boolean;
  /** @default 50 */
  limit?: number;
  offset?: number;
  /** Only those that have it. */
  tag?: string;
  /** Only those that this can mean: the beginning of an id, or a name. */
  text?: string;
}

export interface LogFilter {
  /** Only of this instance, or of all instances of this node. */
  instance?: string;
  /** Only the last so many pieces of what is there now, at most 1000; of no meaning with `after`. */
  tail?: number;
}

/**
 * What a server can be asked. `run` is an id, the beginning of one, or a name. Every method rejects with a PacelineError: the
 * server's own, or PACELINE_UNREACHABLE.
 */
export interface Client {
  readonly url: string;
  health(): Promise<void>;
  /** Finds what the clouds have of this server's that no run needs. @param remove and removes it @param runs only of these runs */
  reap(remove: boolean, runs?: readonly string[]): Promise<ReapReport>;
  info(): Promise<ServerInfo>;
  accounts: AccountsClient;
  modules: ModulesClient;
  images: ImagesClient;
  /** Asks all clouds of the server whether they answer, and what can be had there. */
  clouds(): Promise<CloudSurvey[]>;
  /** What is in use at this moment. */
  usage(): Promise<UsageReport>;
  runs: {
    /** The request carries an id for the run: repeated, it starts no second one. */
    create(request: RunRequest): Promise<CreatedRun>;
    /** Newest first. */
    list(options?: RunListQuery): Promise<RunSummary[]>;
    get(run: string): Promise<RunDetail>;
    terminate(run: string): Promise<RunDetail>;
    abort(run: string, reason: string): Promise<RunDetail>;
    cancelAbort(run: string): Promise<RunDetail>;
    /** Adds, removes or resizes machines of a node. The request carries an id: repeated, it scales once. */
    scale(run: string, request: ScaleBody): Promise<ScaleAnswer>;
  };
  parameters: {
    list(run: string): Promise<ParameterView[]>;
    get(run: string, key: string, options?: { reveal?: boolean }): Promise<ParameterView>;
    set(run: string, key: string, value: string, options?: { secret?: boolean }): Promise<ParameterView>;
    unset(run: string, key: string): Promise<void>;
  };
  machines: {
    /** How to get a shell on a machine. */
    wayIn(run: string, instance: string): Promise<WayInAnswer>;
    /** What a machine wrote to its console, from the byte `since` on. */
    console(run: string, instance: string, since: number): Promise<ConsolePiece>;
  };
  /** The runs that one may see, each time that one changes from now on. What changes while the link is cut is not told: see `onCut`. */
  followRuns(options?: Omit<FollowOptions, 'after'>): AsyncGenerator<RunChange>;
  events(run: string, page?: Page): Promise<EventView[]>;
  logs(run: string, page?: Page & LogFilter): Promise<LogView[]>;
  followEvents(run: string, options?: FollowOptions): AsyncGenerator<EventView>;
  followLogs(run: string, options?: FollowOptions & LogFilter): AsyncGenerator<LogView>;
  reports: {
    list(run: string): Promise<ReportView[]>;
    /** The bytes of a report, as they come. */
    download(run: string, name: string): AsyncGenerator<Uint8Array>;
  };
}

/**
 * A client of one server.
 * @throws PACELINE_REQUEST_INVALID when the address is none, or would send the token in the clear
 */
export function createClient(options: ClientOptions): Client {
  const { url, token, fetch = globalThis.fetch, signal, timeoutMs = 30_000, busyMs = 20_000 } = options;
  const endpoint: Endpoint = { url: checkedUrl(url), token, fetch, signal, timeoutMs, busyMs };
  const patience = { ...defaultPatience, ...options.patience };
  const runPath = (run: string, ...rest: string[]): string => ['/api/runs', ...[run, ...rest].map(encodeURIComponent)].join('/');
  const ask = <T>(path: string, schema: z.ZodType<T>, request?: RequestOptions): Promise<T> => sendForJson(endpoint, path, schema, request);
  const tell = async (path: string, request: RequestOptions): Promise<void> => {
    const response = await send(endpoint, path, request);
    // Frees the connection of an answer that has nothing to say.
    await response.body?.cancel().catch(() => {});
  };
  return {
    url: endpoint.url,
    accounts: accountsClient({ ask, tell }),
    modules: modulesClient({ ask, tell }),
    images: imagesClient({ ask, tell }),
    clouds: async () => (await ask('/api/clouds', cloudSurveys)).clouds,
    usage: () => ask('/api/usage', usageReport),
    async health() {
      await ask('/api/health', z.object({ status: z.literal('ok') }));
    },
    info: () => ask('/api/info', serverInfo),
    reap: (remove, runs) =>
      ask('/api/reap', reapReport, { method: 'POST', timeoutMs: cloudsMs, body: { remove, ...(runs === undefined ? {} : { runs }) } }),
    runs: {
      create: (body) => ask('/api/runs', createdRun, { method: 'POST', body: { id: crypto.randomUUID(), ...body }, repeatable: true }),
      list: async (query = {}) => (await ask('/api/runs', runList, { query: { ...query } })).runs,
      get: (run) => ask(runPath(run), runDetail),
      terminate: (run) => ask(runPath(run), runDetail, { method: 'DELETE' }),
      abort: (run, reason) => ask(runPath(run, 'abort'), runDetail, { method: 'POST', body: { reason } }),
      cancelAbort: (run) => ask(runPath(run, 'abort'), runDetail, { method: 'DELETE' }),
      scale: (run, body) =>
        ask(runPath(run, 'scale'), scaleAnswer, { method: 'POST', body: { id: crypto.randomUUID(), ...body }, repeatable: true }),
    },
    parameters: {
      list: async (run) => (await ask(runPath(run, 'parameters'), parameterList)).parameters,
      get: (run, key, query = {}) => ask(runPath(run, 'parameters', key), parameterView, { query }),
      set: (run, key, value, { secret = false } = {}) =>
        ask(runPath(run, 'parameters', key), parameterView, { method: 'PUT', body: { value, secret } }),
      unset: (run, key) => tell(runPath(run, 'parameters', key), { method: 'DELETE' }),
    },
    machines: {
      wayIn: (run, instance) => ask(runPath(run, 'instances', instance, 'way-in'), wayInAnswer, { method: 'POST', repeatable: true }),
      console: (run, instance, since) => ask(runPath(run, 'instances', instance, 'console'), consolePiece, { query: { since } }),
    },
    events: async (run, page = {}) => (await ask(runPath(run, 'events'), eventList, { query: { ...page } })).events,
    logs: async (run, page = {}) => (await ask(runPath(run, 'logs'), logList, { query: { ...page } })).logs,
    followRuns: (following = {}) => follow(endpoint, '/api/runs', runChange, following, patience),
    followEvents: (run, following = {}) => follow(endpoint, runPath(run, 'events'), eventView, following, patience),
    followLogs: (run, { instance, tail, ...following } = {}) =>
      follow(endpoint, runPath(run, 'logs'), logView, following, patience, { instance, tail }),
    reports: {
      list: async (run) => (await ask(runPath(run, 'reports'), reportList)).reports,
      async *download(run, name) {
        yield* bytesOf(endpoint, await send(endpoint, runPath(run, 'reports', name)), timeoutMs);
      },
    },
  };
}

/** The address of a server in one form. @throws PACELINE_REQUEST_INVALID when it is none, or would send a token in the clear */
export function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `'${text}' is not the address of a server`, {
      hint: 'It looks like https://paceline.example.org.',
    });
  }
  if (url.protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `Plain HTTP to ${url.host} would send the token in the clear`, {
      hint: 'Use https://.',
    });
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
