import { sendForJson, type Endpoint } from './client-request.ts';
import { checkedUrl } from './client.ts';
import { sessionView, type SessionView } from './runs.ts';

export interface LoginOptions {
  /** Address of the server. */
  url: string;
  /** A token that GitHub has given to the job, made for this address. */
  token: string;
  signal?: AbortSignal;
}

const timeoutMs = 30_000;
const busyMs = 20_000;

/**
 * Exchanges a token of GitHub Actions for one of a server, good for an hour.
 * @throws PACELINE_UNAUTHENTICATED, PACELINE_FORBIDDEN when no rule of the server lets the job in, PACELINE_UNREACHABLE
 */
export function openSession({ url, token, signal }: LoginOptions): Promise<SessionView> {
  const endpoint: Endpoint = { url: checkedUrl(url), token: '', fetch: globalThis.fetch, signal, timeoutMs, busyMs };
  return sendForJson(endpoint, '/api/sessions', sessionView, { method: 'POST', body: { token }, repeatable: true });
}
