import { readFileSync } from 'node:fs';
import { ConnectorError } from '@paceline/engine/connector';
import { Agent, fetch, type Response } from 'undici';
import * as z from 'zod';
import { tokenRequest, type Credentials } from './credentials.ts';
import { refusal, unreachable } from './failure.ts';

export type Service = 'compute' | 'image' | 'network';

export interface Ask<S extends z.ZodType> {
  /** For people: `launch web-1`. */
  doing: string;
  /** @default GET */
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
  schema: S;
  signal: AbortSignal;
}

interface Token {
  id: string;
  expiresAt: number;
  project: { id: string; name: string };
  endpoints: Record<Service, string>;
}

const tokenSchema = z.object({
  token: z.object({
    expires_at: z.coerce.date(),
    project: z.object({ id: z.string(), name: z.string() }).optional(),
    catalog: z
      .array(
        z.object({
          type: z.string(),
          endpoints: z.array(z.object({ interface: z.string(), region: z.string().nullish(), url: z.string() })),
        }),
      )
      .default([]),
  }),
});

/** Tags of servers, and images of servers by name: since Pike, of 2017. */
const microversion = 'compute 2.52';
/** Tokens are renewed before their end, for this long, in milliseconds: clocks differ, and calls take their time. */
const renewBeforeMs = 60_000;
const logInLimitMs = 30_000;
const largestAnswer = 64 * 1024 * 1024;

/** The services of a cloud for one credential. The token is renewed behind the scenes; nothing else is tried twice. */
export class Session {
  readonly #credentials: Credentials;
  readonly #agent: Agent;
  readonly #now: () => number;
  #token: Promise<Token> | undefined;

  constructor(credentials: Credentials, now: () => number = Date.now) {
    this.#credentials = credentials;
    this.#now = now;
    const ca = credentials.cacert === undefined ? undefined : readAuthority(credentials.cacert);
    this.#agent = new Agent({
      connect: { timeout: 10_000, ...(ca !== undefined && { ca }) },
      headersTimeout: 120_000,
      bodyTimeout: 60_000,
      maxResponseSize: largestAnswer,
    });
  }

  /** Whose limits the calls count against. */
  get scope(): string {
    const { auth, region_name: region = '' } = this.#credentials;
    const who = auth.application_credential_id ?? auth.application_credential_name ?? auth.user_id ?? auth.username ?? '';
    return [auth.auth_url, region, who, auth.project_id ?? auth.project_name ?? ''].join(' ');
  }

  /** The project that everything belongs to. */
  async project(signal: AbortSignal): Promise<Token['project']> {
    return (await this.#current('log in', signal)).project;
  }

  get region(): string {
    return this.#credentials.region_name ?? 'the only region';
  }

  /** Makes one call. @throws ConnectorError */
  async ask<S extends z.ZodType>(service: Service, ask: Ask<S>): Promise<z.infer<S>> {
    const { doing, signal } = ask;
    const token = await this.#current(doing, signal);
    const first = await this.#send(token, service, ask);
    // Tokens are revoked before their time, such as when a password is changed.
    const isStale = first.status === 401;
    if (isStale) await first.body?.cancel();
    const response = isStale ? await this.#send(await this.#renewed(token, doing, signal), service, ask) : first;
    return this.#read(response, ask);
  }

  /** All pages of a list. @param key of the items in the answer */
  async all<S extends z.ZodType>(
    service: Service,
    key: string,
    ask: Pick<Ask<S>, 'doing' | 'path' | 'signal'> & { item: S },
  ): Promise<z.infer<S>[]> {
    const links = z.array(z.object({ rel: z.string(), href: z.string() })).optional();
    const schema = z.object({ [key]: z.array(ask.item), [`${key}_links`]: links, next: z.string().optional() });
    const items: z.infer<S>[] = [];
    const [base = '', query = ''] = ask.path.split('?', 2);
    for (let search: string | undefined = query; search !== undefined;) {
      const path: string = search === '' ? base : `${base}?${search}`;
      const page: Record<string, unknown> = await this.ask(service, { ...ask, path, schema });
      items.push(...(page[key] as z.infer<S>[]));
      // Where it leads is what the service believes of its own address: only what it asks for counts.
      const next = (page[`${key}_links`] as z.infer<typeof links>)?.find(({ rel }) => rel === 'next')?.href ?? page['next'];
      const following: string | undefined = typeof next === 'string' ? next.split('?', 2)[1] : undefined;
      if (following === search) throw new ConnectorError('unavailable', `Could not ${ask.doing}: a page is followed by itself`);
      search = following;
    }
    return items;
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #send<S extends z.ZodType>(
    token: Token,
    service: Service,
    { doing, method = 'GET', path, body, signal }: Ask<S>,
  ): Promise<Response> {
    const headers = {
      'x-auth-token': token.id,
      accept: 'application/json',
      ...(service === 'compute' && { 'openstack-api-version': microversion }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    };
    return this.#fetch(doing, `${token.endpoints[service]}${path}`, {
      method,
      headers,
      signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  async #fetch(
    doing: string,
    url: string,
    init: { method: string; headers: Record<string, string>; body?: string; signal: AbortSignal },
  ): Promise<Response> {
    try {
      return await fetch(url, { ...init, dispatcher: this.#agent, redirect: 'error' });
    } catch (error) {
      throw unreachable(doing, error, init.signal);
    }
  }

  async #read<S extends z.ZodType>(
    response: Response,
    { doing, schema, signal }: Pick<Ask<S>, 'doing' | 'schema' | 'signal'>,
  ): Promise<z.infer<S>> {
    const { status, headers } = response;
    const text = await response.text().catch((error: unknown) => {
      throw unreachable(doing, error, signal);
    });
    if (!response.ok) {
      throw refusal(doing, { status, text, requestId: headers.get('x-openstack-request-id'), retryAfter: headers.get('retry-after') });
    }
    const parsed = schema.safeParse(text === '' ? undefined : parseJson(text));
    if (parsed.success) return parsed.data;
    throw new ConnectorError(
      'unavailable',
      `Could not ${doing}: the answer cannot be understood: ${z.prettifyError(parsed.error).slice(0, 300)}`,
    );
  }

  #current(doing: string, signal: AbortSignal): Promise<Token> {
    return this.#wait(this.#token ?? this.#logIn(), doing, signal).then((token) =>
      token.expiresAt - renewBeforeMs > this.#now() ? token : this.#renewed(token, doing, signal),
    );
  }

  /** Another token than this one; for all that ask at once the same. */
  async #renewed(old: Token, doing: string, signal: AbortSignal): Promise<Token> {
    const known = await this.#token?.catch(() => undefined);
    return this.#wait(known !== undefined && known !== old && this.#token !== undefined ? this.#token : this.#logIn(), doing, signal);
  }

  /** What one asks for, others wait for too: it has an end of its own. */
  #wait(token: Promise<Token>, doing: string, signal: AbortSignal): Promise<Token> {
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(new ConnectorError('timeout', `Gave up to ${doing}: the call was aborted`, { cause: signal.reason }));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp);
    return Promise.race([token, promise]).finally(() => signal.removeEventListener('abort', giveUp));
  }

  #logIn(): Promise<Token> {
    const token = this.#askForToken(AbortSignal.timeout(logInLimitMs));
    this.#token = token;
    token.catch(() => {
      if (this.#token === token) this.#token = undefined;
    });
    return token;
  }

  async #askForToken(signal: AbortSignal): Promise<Token> {
    const { auth_url: url } = this.#credentials.auth;
    const root = url.replace(/\/+$/, '').replace(/\/v3$/, '');
    const doing = `log in at ${root}`;
    const response = await this.#fetch(doing, `${root}/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(tokenRequest(this.#credentials)),
      signal,
    });
    const { token } = await this.#read(response, { doing, schema: tokenSchema, signal });
    const id = response.headers.get('x-subject-token');
    if (id === null) throw new ConnectorError('unavailable', `Could not ${doing}: it has answered without a token`);
    if (token.project === undefined) {
      throw new ConnectorError('auth', `Could not ${doing}: the user has no default project`, {
        hint: 'Name the project: `project_name` in clouds.yaml, or OS_PROJECT_NAME.',
      });
    }
    return { id, expiresAt: token.expires_at.getTime(), project: token.project, endpoints: this.#endpointsIn(token.catalog) };
  }

  #endpointsIn(catalogue: z.infer<typeof tokenSchema>['token']['catalog']): Token['endpoints'] {
    const { region_name: region, interface: kind, ...overrides } = this.#credentials;
    const find = (service: Service): string => {
      const offered = catalogue.filter(({ type }) => type === service).flatMap(({ endpoints }) => endpoints);
      const url =
        overrides[`${service}_endpoint_override`] ??
        offered.find((each) => each.interface === kind && (region === undefined || each.region === region))?.url;
      if (url === undefined) {
        const regions = [...new Set(offered.map((each) => each.region ?? ''))].join(', ');
        throw new ConnectorError('invalid', `The cloud has no ${kind} ${service} service in ${this.region}`, {
          hint: regions === '' ? 'Its catalogue does not name one.' : `Its regions are: ${regions}.`,
        });
      }
      return versioned(url.replace(/\/+$/, ''), service);
    };
    return { compute: find('compute'), image: find('image'), network: find('network') };
  }
}

/** Catalogues name some services with their version, some without. */
function versioned(url: string, service: Service): string {
  const version = { compute: 'v2.1', image: 'v2', network: 'v2.0' }[service];
  return /\/v\d/.test(url) ? url : `${url}/${version}`;
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
