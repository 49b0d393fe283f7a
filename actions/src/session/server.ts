import { getIDToken } from '@actions/core';
import { createClient, openSession as login, type SessionView } from '@paceline/api';
import { PacelineError, toError } from '@paceline/model';
import type { Job } from '../runner/job.ts';
import { mask } from '../runner/masks.ts';
import type { Session } from './session.ts';

export interface ServerSessionOptions {
  url: string;
  /** A token of the server; without one the job logs in as what it is. */
  token: string | undefined;
  job: Pick<Job, 'fork'>;
}

/** A token is renewed when it is good for less than this many milliseconds. */
const renewMs = 5 * 60_000;

/** A server that others run. No secret is needed: GitHub vouches for the job. */
export async function openServer({ url, token, job }: ServerSessionOptions): Promise<Session> {
  const own = { embedded: false, renew: async () => false, close: async () => {} };
  if (token !== undefined) return { ...own, token: async () => token, client: createClient({ url, token }) };
  const present = renewed(() => logIn(url, job));
  await present();
  return { ...own, token: present, client: createClient({ url, token: 'session', fetch: withToken(present) }) };
}

/** The token that is good now. Requests that find it old at the same time renew it once. */
export function renewed(open: () => Promise<SessionView>, now: () => number = Date.now): () => Promise<string> {
  let session: SessionView | undefined;
  let opening: Promise<SessionView> | undefined;
  return async () => {
    if (session === undefined || Date.parse(session.expiresAt) - now() < renewMs) {
      session = await (opening ??= open().finally(() => (opening = undefined)));
    }
    return session.token;
  };
}

function withToken(token: () => Promise<string>): typeof globalThis.fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${await token()}`);
    return fetch(input, { ...init, headers });
  };
}

async function logIn(url: string, { fork }: Pick<Job, 'fork'>): Promise<SessionView> {
  const audience = url.replace(/\/+$/, '');
  const identity = await getIDToken(audience).catch((cause: unknown) => {
    throw new PacelineError('PACELINE_UNAUTHENTICATED', `GitHub gives this job no token: ${toError(cause).message}`, {
      cause,
      hint: fork
        ? 'Workflows of pull requests from forks get none.'
        : 'The job needs `permissions: { id-token: write, contents: read }`, or the input server-token.',
    });
  });
  const session = await login({ url, token: identity });
  mask(session.token);
  return session;
}
