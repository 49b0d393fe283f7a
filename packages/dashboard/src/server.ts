import { createClient, loginWays, sessionState, type Client, type LoginWays, type SessionState } from '@paceline/api';
import { PacelineError } from '@paceline/model';

/** Says that a request is from this page; no other site can set it. */
const ours = { 'x-paceline-csrf': '1' };

/**
 * A client that is known by the cookie of its session.
 * @param onLoggedOut called when the server does not know the session any more
 */
export function sessionClient(onLoggedOut: () => void): Client {
  return createClient({
    url: location.origin,
    async fetch(input, init) {
      const headers = new Headers(init?.headers);
      for (const [name, value] of Object.entries(ours)) headers.set(name, value);
      const response = await fetch(input, { ...init, headers, credentials: 'same-origin' });
      if (response.status === 401) onLoggedOut();
      return response;
    },
  });
}

/** @returns who has logged in. @throws what the server says against it */
export async function logIn(token: string): Promise<SessionState> {
  const response = await fetch('/api/session', {
    method: 'POST',
    headers: { ...ours, 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return sessionState.parse(answer);
  throw new PacelineError(
    response.status === 401 ? 'PACELINE_UNAUTHENTICATED' : 'PACELINE_REQUEST_INVALID',
    response.status === 401 ? 'This token does not open this server.' : `The server answers ${response.status}.`,
  );
}

/** How people may log in here beside with a token; nothing when the server does not say. */
export async function waysIn(): Promise<LoginWays> {
  const response = await fetch('/api/login').catch(() => undefined);
  const answer = loginWays.safeParse(response?.ok === true ? await response.json() : undefined);
  return answer.success ? answer.data : { oidc: null };
}

export async function logOut(): Promise<void> {
  await fetch('/api/session', { method: 'DELETE', headers: ours });
}
