import { ConnectorError, isConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';
import type { Auth, Credentials } from './credentials.ts';
import type { Transport } from './transport.ts';

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

/** A token, and what Keystone says of it. */
export interface KeystoneToken {
  id: string;
  expiresAt: number;
  project: { id: string; name: string };
  catalog: z.infer<typeof tokenSchema>['token']['catalog'];
}

/** Gets a token of the project from Keystone. @throws ConnectorError */
export async function logIn(credentials: Credentials, transport: Transport, signal: AbortSignal): Promise<KeystoneToken> {
  const { auth, method } = credentials;
  const root = auth.auth_url.replace(/\/+$/, '').replace(/\/v3$/, '');
  const doing = `log in at ${root}`;
  const isFederated = method !== 'password' && method !== 'applicationCredential';
  const federated = isFederated ? await federatedToken(credentials, root, transport, signal) : undefined;
  const response = await transport.send(doing, `${root}/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(tokenRequest(credentials, federated)),
    signal,
  });
  const { token } = await transport.read(response, doing, tokenSchema, signal);
  const id = response.headers.get('x-subject-token');
  if (id === null) throw withoutToken(doing);
  if (token.project === undefined) {
    throw new ConnectorError('auth', `Could not ${doing}: the user has no default project`, {
      hint: 'Name the project: `project_name` in clouds.yaml, or OS_PROJECT_NAME.',
    });
  }
  return { id, expiresAt: token.expires_at.getTime(), project: token.project, catalog: token.catalog };
}

/** The body of the request for a token. An application credential knows its project by itself. @param federated a token without project */
export function tokenRequest({ auth, method }: Credentials, federated?: string): unknown {
  if (method === 'applicationCredential') {
    const { application_credential_secret: secret, application_credential_id: id, application_credential_name: name } = auth;
    const credential = id === undefined ? { name, secret, user: userOf(auth) } : { id, secret };
    return { auth: { identity: { methods: ['application_credential'], application_credential: credential } } };
  }
  const identity =
    federated === undefined
      ? { methods: ['password'], password: { user: { ...userOf(auth), password: auth.password } } }
      : { methods: ['token'], token: { id: federated } };
  const project = auth.project_id === undefined ? { name: auth.project_name, domain: domainOf(auth, 'project') } : { id: auth.project_id };
  return { auth: { identity, ...((auth.project_id ?? auth.project_name) !== undefined && { scope: { project } }) } };
}

function userOf(auth: Auth): Record<string, unknown> {
  return auth.user_id === undefined ? { name: auth.username, domain: domainOf(auth, 'user') } : { id: auth.user_id };
}

function domainOf(auth: Auth, of: 'user' | 'project'): unknown {
  const id = auth[`${of}_domain_id`] ?? auth.domain_id;
  const name = auth[`${of}_domain_name`] ?? auth.domain_name;
  return id === undefined ? { name: name ?? 'Default' } : { id };
}

/** Shows Keystone a token of an OpenID provider, for one of its own without a project. */
async function federatedToken(credentials: Credentials, root: string, transport: Transport, signal: AbortSignal): Promise<string> {
  const { identity_provider: provider = '', protocol = '' } = credentials.auth;
  const bearer = await bearerOf(credentials, transport, signal);
  const doing = `log in at ${root} with the identity provider ${provider}`;
  const path = `/v3/OS-FEDERATION/identity_providers/${encodeURIComponent(provider)}/protocols/${encodeURIComponent(protocol)}/auth`;
  const sent = { method: 'POST', headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' }, signal };
  const response = await transport.send(doing, `${root}${path}`, sent);
  await transport.read(response, doing, z.unknown(), signal);
  const id = response.headers.get('x-subject-token');
  if (id === null) throw withoutToken(doing);
  return id;
}

/** The token that stands in the credentials, or one that the OpenID provider gives for them. */
async function bearerOf({ auth, method }: Credentials, transport: Transport, signal: AbortSignal): Promise<string> {
  if (method === 'oidcAccessToken') return auth.access_token ?? '';
  const url = auth.access_token_endpoint ?? (await discovered(auth.discovery_endpoint ?? '', transport, signal));
  const { client_id: client = '', client_secret: secret, access_token_type: kind } = auth;
  const form = new URLSearchParams({
    ...(method === 'oidcPassword'
      ? { grant_type: 'password', username: auth.username ?? '', password: auth.password ?? '' }
      : { grant_type: 'client_credentials' }),
    scope: auth.openid_scope,
    // A client without a secret only says who it is.
    ...(secret === undefined && { client_id: client }),
  });
  const basic = Buffer.from(`${encodeURIComponent(client)}:${encodeURIComponent(secret ?? '')}`).toString('base64');
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    ...(secret !== undefined && { authorization: `Basic ${basic}` }),
  };
  const doing = `get a token from ${url}`;
  const response = await transport.send(doing, url, { method: 'POST', headers, body: form.toString(), signal });
  const answer = await transport.read(response, doing, z.object({ [kind]: z.string().min(1) }), signal).catch(refusedCredentials);
  return answer[kind] ?? '';
}

async function discovered(url: string, transport: Transport, signal: AbortSignal): Promise<string> {
  const doing = `read ${url}`;
  const response = await transport.send(doing, url, { method: 'GET', headers: { accept: 'application/json' }, signal });
  const { token_endpoint: found } = await transport.read(
    response,
    doing,
    z.object({ token_endpoint: z.url({ protocol: /^https?$/ }) }),
    signal,
  );
  return found;
}

/** OAuth 2 says with the status of a wrong request that somebody is not who he says. */
function refusedCredentials(error: unknown): never {
  if (!isConnectorError(error) || error.details.provider?.status !== 400) throw error;
  throw new ConnectorError('auth', error.message, { ...error.details, hint: 'Check the client, its secret and the user in clouds.yaml.' });
}

function withoutToken(doing: string): ConnectorError {
  return new ConnectorError('unavailable', `Could not ${doing}: it has answered without a token`);
}
