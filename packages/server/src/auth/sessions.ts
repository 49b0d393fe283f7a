import { createHmac } from 'node:crypto';
import { PacelineError } from '@paceline/model';
import { jwtVerify, SignJWT } from 'jose';
import * as z from 'zod';

/** What a login may be allowed: everything, or to start runs and to do with these, and no others, as it likes. */
export const roles = ['operator', 'deployer'] as const;
export type Role = (typeof roles)[number];

/** Who has logged in. */
export interface Principal {
  /** For people, and what tells whose a run is: `github:octo/app (456789)`. */
  name: string;
  role: Role;
}

export interface Session {
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
}

const prefix = 'pls_';
const claims = z.object({ sub: z.string(), role: z.enum(roles) });

/** Short-lived tokens for those who have logged in. Nothing is stored: every server with the same key knows them. */
export class Sessions {
  readonly #key: Uint8Array;
  readonly #now: () => number;

  /** @param serverKey the key of the server, from which that of the tokens is worked out */
  constructor(serverKey: Buffer, now: () => number = Date.now) {
    this.#key = createHmac('sha256', serverKey).update('session').digest();
    this.#now = now;
  }

  /** @param lifetimeMs how long the token is good, in milliseconds */
  async open({ name, role }: Principal, lifetimeMs: number): Promise<Session> {
    const expiresAt = Math.floor((this.#now() + lifetimeMs) / 1000) * 1000;
    const token = await new SignJWT({ role })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(name)
      .setExpirationTime(expiresAt / 1000)
      .sign(this.#key);
    return { token: prefix + token, expiresAt };
  }

  /** Who a token was given to; undefined when it is none of these. @throws PACELINE_UNAUTHENTICATED when its time is over */
  async find(token: string): Promise<Principal | undefined> {
    if (!token.startsWith(prefix)) return undefined;
    try {
      const { payload } = await jwtVerify(token.slice(prefix.length), this.#key, {
        algorithms: ['HS256'],
        requiredClaims: ['exp'],
        currentDate: new Date(this.#now()),
      });
      const { sub, role } = claims.parse(payload);
      return { name: sub, role };
    } catch (cause) {
      if (!isExpiry(cause)) return undefined;
      throw new PacelineError('PACELINE_UNAUTHENTICATED', 'The session is over', { cause, hint: 'Log in again.' });
    }
  }
}

function isExpiry(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_JWT_EXPIRED';
}
