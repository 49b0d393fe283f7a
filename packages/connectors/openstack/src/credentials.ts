import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ConnectorError } from '@paceline/engine/connector';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Config } from './config.ts';

const text = z.coerce.string().min(1);

const authSchema = z.object({
  auth_url: z.url({ protocol: /^https?$/ }),
  username: text.optional(),
  user_id: text.optional(),
  password: text.optional(),
  user_domain_name: text.optional(),
  user_domain_id: text.optional(),
  project_name: text.optional(),
  project_id: text.optional(),
  project_domain_name: text.optional(),
  project_domain_id: text.optional(),
  domain_name: text.optional(),
  domain_id: text.optional(),
  application_credential_id: text.optional(),
  application_credential_name: text.optional(),
  application_credential_secret: text.optional(),
});

const entrySchema = z.object({
  auth: authSchema,
  region_name: text.optional(),
  interface: z.enum(['public', 'internal', 'admin']).default('public'),
  cacert: text.optional(),
  compute_endpoint_override: z.url().optional(),
  image_endpoint_override: z.url().optional(),
  network_endpoint_override: z.url().optional(),
});

type Auth = z.infer<typeof authSchema>;

/** Who is who, and where: as clouds.yaml has it. */
export type Credentials = z.infer<typeof entrySchema>;

/** An entry of clouds.yaml before anything is known of it. */
type Raw = Record<string, unknown>;

/**
 * Finds the credentials as OpenStack's own tools do: `clouds.yaml` with its `secure.yaml` when a cloud is named, else the environment.
 * @throws ConnectorError auth when there are none, or when they are not complete; it never shows a value
 */
export function findCredentials({ cloud, cloudsFile, region }: Config, env: NodeJS.ProcessEnv): Credentials {
  const name = cloud ?? env['OS_CLOUD'];
  const raw = name === undefined ? fromEnvironment(env) : fromFile(name, cloudsFile ?? findFile(env));
  const parsed = entrySchema.safeParse(raw);
  const where = name === undefined ? 'The OS_ variables of the environment' : `The cloud ${name} of clouds.yaml`;
  if (!parsed.success) throw unusable(`${where} cannot be used: ${z.prettifyError(parsed.error)}`);
  const { auth } = parsed.data;
  const isComplete =
    auth.application_credential_secret !== undefined
      ? auth.application_credential_id !== undefined || auth.application_credential_name !== undefined
      : auth.password !== undefined && (auth.username ?? auth.user_id) !== undefined;
  if (!isComplete) throw unusable(`${where} has neither a user with a password nor an application credential with its secret`);
  return region === undefined ? parsed.data : { ...parsed.data, region_name: region };
}

function fromEnvironment(env: NodeJS.ProcessEnv): Raw {
  const value = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  if (value('OS_AUTH_URL') === undefined) {
    throw unusable(
      'There are no credentials for OpenStack',
      'Set `cloud` to an entry of clouds.yaml, or OS_CLOUD, or OS_AUTH_URL and the others.',
    );
  }
  const auth = Object.fromEntries(Object.keys(authSchema.shape).map((key) => [key, value(`OS_${key.toUpperCase()}`)]));
  return { auth, region_name: value('OS_REGION_NAME'), interface: value('OS_INTERFACE')?.replace(/URL$/, ''), cacert: value('OS_CACERT') };
}

function findFile(env: NodeJS.ProcessEnv): string {
  const places = [
    env['OS_CLIENT_CONFIG_FILE'],
    'clouds.yaml',
    join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'openstack', 'clouds.yaml'),
    '/etc/openstack/clouds.yaml',
  ].filter((place) => place !== undefined);
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw unusable(`There is no clouds.yaml: not in ${places.join(', ')}`);
  return found;
}

function fromFile(name: string, path: string): Raw {
  const entry = readEntry(path, name);
  if (entry === undefined) throw unusable(`${path} has no cloud ${name}`);
  // Secrets may stand apart, in a file that is not shared.
  const secure = join(dirname(path), 'secure.yaml');
  const secret = existsSync(secure) ? readEntry(secure, name) : undefined;
  const auth = { ...asRecord(entry['auth']), ...asRecord(secret?.['auth']) };
  const region = entry['region_name'] ?? [entry['regions']].flat()[0];
  return { ...entry, ...secret, auth, region_name: typeof region === 'string' ? region : undefined };
}

function readEntry(path: string, name: string): Raw | undefined {
  const document = parseSecretly(path, readText(path));
  const entry = asRecord(asRecord(document)['clouds'])[name];
  return entry === undefined ? undefined : asRecord(entry);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unusable(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What is wrong is not shown: it may be the line with the password. */
function parseSecretly(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch {
    throw unusable(`${path} is no YAML`);
  }
}

function asRecord(value: unknown): Raw {
  return typeof value === 'object' && value !== null ? (value as Raw) : {};
}

function unusable(message: string, hint?: string): ConnectorError {
  return new ConnectorError('auth', message, hint === undefined ? {} : { hint });
}

/** The body of the request for a token. An application credential knows its project by itself. */
export function tokenRequest({ auth }: Credentials): unknown {
  const { application_credential_secret: secret, application_credential_id: id, application_credential_name: name } = auth;
  if (secret !== undefined) {
    const credential = id === undefined ? { name, secret, user: userOf(auth) } : { id, secret };
    return { auth: { identity: { methods: ['application_credential'], application_credential: credential } } };
  }
  const project = auth.project_id === undefined ? { name: auth.project_name, domain: domainOf(auth, 'project') } : { id: auth.project_id };
  return {
    auth: {
      identity: { methods: ['password'], password: { user: { ...userOf(auth), password: auth.password } } },
      ...((auth.project_id ?? auth.project_name) !== undefined && { scope: { project } }),
    },
  };
}

function userOf(auth: Auth): Record<string, unknown> {
  return auth.user_id === undefined ? { name: auth.username, domain: domainOf(auth, 'user') } : { id: auth.user_id };
}

function domainOf(auth: Auth, of: 'user' | 'project'): unknown {
  const id = auth[`${of}_domain_id`] ?? auth.domain_id;
  const name = auth[`${of}_domain_name`] ?? auth.domain_name;
  return id === undefined ? { name: name ?? 'Default' } : { id };
}
