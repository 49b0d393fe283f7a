import type { FastifyReply, FastifyRequest } from 'fastify';
import { PacelineError } from '@paceline/model';
import * as z from 'zod';
import { SignedCookie } from './signed-cookie.ts';

const lifetimeSeconds = 12 * 60 * 60;
const claims = z.object({ token: z.string().optional(), user: z.string().optional(), issuer: z.string().optional() });

/** Whose session it is: of a personal token, of a user for whom a login provider stands, or of the holder of the operator's token. */
export type SessionOf = { token: string } | { user: string; issuer: string } | 'operator';

/**
 * Logins of browsers, good for twelve hours or until the browser is closed. Whether the token or the user that it was begun with
 * still stands is looked up each time. No other site can use it: the cookie is `SameSite=Strict`, and whatever changes something
 * also has to carry a header that only our own pages can set.
 */
export class BrowserSessions {
  readonly #cookie: SignedCookie;

  /** @param secure whether browsers come by HTTPS */
  constructor(serverKey: Buffer, secure: boolean, now: () => number = Date.now) {
    this.#cookie = new SignedCookie(serverKey, { purpose: 'browser-session', lifetimeSeconds, sameSite: 'strict', secure, now });
  }

  open(of: SessionOf, reply: FastifyReply): Promise<void> {
    return this.#cookie.set(of === 'operator' ? {} : of, reply);
  }

  close(reply: FastifyReply): void {
    this.#cookie.clear(reply);
  }

  /**
   * Whose session a request comes from; undefined when it carries none, or one that is over.
   * @throws PACELINE_FORBIDDEN when another site may have sent it
   */
  async find(request: FastifyRequest): Promise<SessionOf | undefined> {
    if (!this.#cookie.isIn(request)) return undefined;
    if (request.method !== 'GET') refuseOtherSites(request);
    const said = claims.safeParse(await this.#cookie.read(request));
    if (!said.success) return undefined;
    const { token, user, issuer } = said.data;
    if (token !== undefined) return { token };
    if (user === undefined) return 'operator';
    return issuer === undefined ? undefined : { user, issuer };
  }
}

/** @throws PACELINE_FORBIDDEN unless the request is from a page of this server */
export function refuseOtherSites({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  if (headers['x-paceline-csrf'] === '1' && (site === undefined || site === 'same-origin')) return;
  throw new PacelineError('PACELINE_FORBIDDEN', 'A request with a cookie has to come from a page of this server', {
    hint: 'Programs send `Authorization: Bearer <token>` instead.',
  });
}
