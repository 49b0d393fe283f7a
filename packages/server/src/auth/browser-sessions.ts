import { createHash, createHmac } from 'node:crypto';
import type {} from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PacelineError } from '@paceline/model';
import { jwtVerify, SignJWT } from 'jose';
import * as z from 'zod';

const lifetimeSeconds = 12 * 60 * 60;
const claims = z.object({ token: z.string().optional() });

/** Whose session it is: of the holder of the operator's token, or of a personal token. */
export type SessionOf = { token: string } | 'operator';

/**
 * Logins of browsers: a signed cookie that no script can read, good for twelve hours or until the browser is closed. Nothing is
 * stored; whether the token that it was begun with still stands is looked up each time. No other site can use it: the cookie is
 * `SameSite=Strict`, and whatever changes something also has to carry a header that only our own pages can set.
 */
export class BrowserSessions {
  readonly #key: Uint8Array;
  readonly #name: string;
  readonly #secure: boolean;
  readonly #now: () => number;

  /** @param secure whether browsers come by HTTPS */
  constructor(serverKey: Buffer, secure: boolean, now: () => number = Date.now) {
    this.#key = createHmac('sha256', serverKey).update('browser-session').digest();
    this.#secure = secure;
    this.#now = now;
    // Cookies do not tell ports apart: servers on one host must not log each other out.
    this.#name = secure ? '__Host-paceline' : `paceline-${createHash('sha256').update(this.#key).digest('hex').slice(0, 8)}`;
  }

  async open(of: SessionOf, reply: FastifyReply): Promise<void> {
    const now = Math.floor(this.#now() / 1000);
    const value = await new SignJWT(of === 'operator' ? {} : of)
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .sign(this.#key);
    reply.setCookie(this.#name, value, this.#attributes());
  }

  close(reply: FastifyReply): void {
    reply.clearCookie(this.#name, this.#attributes());
  }

  /**
   * Whose session a request comes from; undefined when it carries none, or one that is over.
   * @throws PACELINE_FORBIDDEN when another site may have sent it
   */
  async find(request: FastifyRequest): Promise<SessionOf | undefined> {
    const value = request.cookies[this.#name];
    if (value === undefined) return undefined;
    if (request.method !== 'GET') refuseOtherSites(request);
    try {
      const { payload } = await jwtVerify(value, this.#key, {
        algorithms: ['HS256'],
        requiredClaims: ['exp'],
        currentDate: new Date(this.#now()),
      });
      const { token } = claims.parse(payload);
      return token === undefined ? 'operator' : { token };
    } catch {
      return undefined;
    }
  }

  #attributes() {
    return { path: '/', httpOnly: true, sameSite: 'strict' as const, secure: this.#secure };
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
