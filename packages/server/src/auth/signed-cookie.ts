import { createHash, createHmac } from 'node:crypto';
import type {} from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { jwtVerify, SignJWT, type JWTPayload } from 'jose';

export interface CookieOptions {
  /** What it is for: each purpose has a key of its own. */
  purpose: string;
  /** For how long it is good, in seconds, if the browser is not closed before. */
  lifetimeSeconds: number;
  /** Whether it also goes along when another site has led here. */
  sameSite: 'strict' | 'lax';
  /** Whether browsers come by HTTPS. */
  secure: boolean;
  now: () => number;
}

/** A cookie that no script can read and nobody but the server can write. Nothing is stored: every server with the same key knows it. */
export class SignedCookie {
  readonly #key: Uint8Array;
  readonly #name: string;
  readonly #options: CookieOptions;

  constructor(serverKey: Buffer, options: CookieOptions) {
    this.#key = createHmac('sha256', serverKey).update(options.purpose).digest();
    this.#options = options;
    // Cookies do not tell ports apart: servers on one host must not log each other out.
    const unique = createHash('sha256').update(this.#key).digest('hex').slice(0, 8);
    this.#name = options.secure ? `__Host-paceline-${options.purpose}` : `paceline-${unique}`;
  }

  async set(claims: JWTPayload, reply: FastifyReply): Promise<void> {
    const now = Math.floor(this.#options.now() / 1000);
    const value = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt(now)
      .setExpirationTime(now + this.#options.lifetimeSeconds)
      .sign(this.#key);
    reply.setCookie(this.#name, value, this.#attributes());
  }

  clear(reply: FastifyReply): void {
    reply.clearCookie(this.#name, this.#attributes());
  }

  isIn(request: FastifyRequest): boolean {
    return request.cookies[this.#name] !== undefined;
  }

  /** What it says; undefined when the request carries none, or one that is over or not ours. */
  async read(request: FastifyRequest): Promise<JWTPayload | undefined> {
    try {
      const { payload } = await jwtVerify(request.cookies[this.#name] ?? '', this.#key, {
        algorithms: ['HS256'],
        requiredClaims: ['exp'],
        currentDate: new Date(this.#options.now()),
      });
      return payload;
    } catch {
      return undefined;
    }
  }

  #attributes() {
    const { sameSite, secure } = this.#options;
    return { path: '/', httpOnly: true, sameSite, secure };
  }
}
