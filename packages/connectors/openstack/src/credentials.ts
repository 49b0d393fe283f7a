import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ConnectorError } from '@paceline/engine/connector';
import { parse } from 'yaml';
import * as z from 'zod';
import type { Config } from './config.ts';

const text = z.coerce.string().min(1);

const url = z.url({ protocol: /^https?$/ });

const authSchema = z.object({
  auth_url: url,
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
  identity_provider: text.optional(),
  protocol: text.optional(),
  access_token: text.optional(),
  access_token_endpoint: url.optional(),
  access_token_type: z.enum(['access_token', 'id_token']).default('access_token'),
  discovery_endpoint: url.optional(),
  client_id: text.optional(),
  client_secret: text.optional(),
  openid_scope: text.default('openid profile'),
});

const entrySchema = z.object({
  auth_type: text.optional(),
  auth: authSchema,
  region_name: text.optional(),
  interface: z.enum(['public', 'internal', 'admin']).default('public'),
  cacert: text.optional(),
  compute_endpoint_override: z.url().optional(),
  image_endpoint_override: z.url().optional(),
  network_endpoint_override: z.url().optional(),
});

export type Auth = z.infer<typeof authSchema>;

export type Method = 'password' | 'applicationCredential' | 'oidcAccessToken' | 'oidcClientCredentials' | 'oidcPassword';

/** Who is who, and where: as clouds.yaml has it. */
export type Credentials = z.infer<typeof entrySchema> & { method: Method };

/** By the names that OpenStack's own tools have for them. */
const methods = new Map<string, Method>([
  ['password', 'password'],
  ['v3password', 'password'],
  ['v3applicationcredential', 'applicationCredential'],
  ['v3oidcaccesstoken', 'oidcAccessToken'],
  ['v3oidcclientcredentials', 'oidcClientCredentials'],
  ['v3oidcpassword', 'oidcPassword'],
]);

const federation: (keyof Auth)[][] = [['identity_provider'], ['protocol']];
const provider: (keyof Auth)[][] = [...federation, ['client_id'], ['access_token_endpoint', 'discovery_endpoint']];

/** What each needs: of some, one. */
const needs: Record<Method, (keyof Auth)[][]> = {
  password: [['username', 'user_id'], ['password']],
  applicationCredential: [['application_credential_id', 'application_credential_name'], ['application_credential_secret']],
  oidcAccessToken: [...federation, ['access_token']],
  oidcClientCredentials: [...provider, ['client_secret']],
  oidcPassword: [...provider, ['username'], ['password']],
};

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
  const { auth, auth_type: type } = parsed.data;
  const method = methodOf(parsed.data, where);
  const missing = needs[method].filter((alternatives) => alternatives.every((key) => auth[key] === undefined));
  if (missing.length > 0 && type === undefined)
    throw unusable(`${where} has neither a user with a password nor an application credential with its secret`, known);
  if (missing.length > 0) throw unusable(`${where} lacks ${missing.map((each) => each.join(' or ')).join(', ')}, which ${type} needs`);
  return { ...parsed.data, method, ...(region !== undefined && { region_name: region }) };
}

const known = `\`auth_type\` may be ${[...methods.keys()].join(', ')}.`;

function methodOf({ auth, auth_type: type }: z.infer<typeof entrySchema>, where: string): Method {
  if (type === undefined) return auth.application_credential_secret === undefined ? 'password' : 'applicationCredential';
  const method = methods.get(type);
  if (method === undefined) throw unusable(`${where} logs in by ${type}, which is not supported`, known);
  return method;
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
  return {
    auth,
    auth_type: value('OS_AUTH_TYPE'),
    region_name: value('OS_REGION_NAME'),
    interface: value('OS_INTERFACE')?.replace(/URL$/, ''),
    cacert: value('OS_CACERT'),
  };
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
