import { ConnectorError } from '@paceline/engine/connector';
import type { Response } from 'undici';
import * as z from 'zod';
import type { Credentials } from './credentials.ts';
import { logIn, type KeystoneToken } from './log-in.ts';
import { Transport } from './transport.ts';

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

interface Token extends Omit<KeystoneToken, 'catalog'> {
  endpoints: Record<Service, string>;
  region: string;
}

/** Tags of servers, and images of servers by name: since Pike, of 2017. */
const microversion = 'compute 2.52';
/** Tokens are renewed before their end, for this long, in milliseconds: clocks differ, and calls take their time. */
const renewBeforeMs = 60_000;
const logInLimitMs = 30_000;

/** The services of a cloud for one credential. The token is renewed behind the scenes; nothing else is tried twice. */
export class Session {
  readonly #credentials: Credentials;
  readonly #transport: Transport;
  readonly #now: () => number;
  #token: Promise<Token> | undefined;

  constructor(credentials: Credentials, now: () => number = Date.now) {
    this.#credentials = credentials;
    this.#now = now;
    this.#transport = new Transport(credentials.cacert);
  }

  /** Whose limits the calls count against. */
  get scope(): string {
    const { auth, region_name: region = '' } = this.#credentials;
    const ids = [auth.application_credential_id, auth.application_credential_name, auth.user_id, auth.username, auth.client_id];
    const who = ids.find((id) => id !== undefined) ?? auth.identity_provider ?? '';
    return [auth.auth_url, region, who, auth.project_id ?? auth.project_name ?? ''].join(' ');
  }

  /** The project that everything belongs to. */
  async project(signal: AbortSignal): Promise<Token['project']> {
    return (await this.#current('log in', signal)).project;
  }

  /** Where everything is that the present token leads to. Names of projects change, their ids do not. */
  async account(signal: AbortSignal): Promise<string> {
    const { project, region } = await this.#current('log in', signal);
    return `openstack project ${project.id} in ${region}`;
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
    return this.#transport.read(response, doing, ask.schema, signal);
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
    await this.#transport.close();
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
    return this.#transport.send(doing, `${token.endpoints[service]}${path}`, {
      method,
      headers,
      signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
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
    const { catalog, ...token } = await logIn(this.#credentials, this.#transport, signal);
    const { region_name: region = regionIn(catalog, this.#credentials.interface) ?? this.region } = this.#credentials;
    return { ...token, region, endpoints: this.#endpointsIn(catalog) };
  }

  #endpointsIn(catalogue: KeystoneToken['catalog']): Token['endpoints'] {
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

/** The region that is taken where none is named. */
function regionIn(catalogue: KeystoneToken['catalog'], kind: string): string | undefined {
  const offered = catalogue.filter(({ type }) => type === 'compute').flatMap(({ endpoints }) => endpoints);
  return offered.find((each) => each.interface === kind)?.region ?? undefined;
}

/** Catalogues name some services with their version, some without. */
function versioned(url: string, service: Service): string {
  const version = { compute: 'v2.1', image: 'v2', network: 'v2.0' }[service];
  return /\/v\d/.test(url) ? url : `${url}/${version}`;
}
