import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { python, scratch } from './python.ts';

/** The configuration of a cloud whose memory is a file. @param folder what is in the same folder is the same account */
export function keptCloud(folder = scratch(), more: Record<string, unknown> = {}): Record<string, unknown> {
  process.env['PACELINE_TEST_WORD'] ??= 'open sesame';
  return {
    driver: 'kept.Kept',
    modules: import.meta.dirname,
    python,
    root: join(folder, 'root'),
    credentials: { creds: { env: 'PACELINE_TEST_WORD' } },
    arguments: { memory: join(folder, 'memory.json') },
    image: 'debian-12',
    listConsistencySeconds: 0,
    ...more,
  };
}

const nodeSchema = z.object({
  id: z.string(),
  name: z.string(),
  size: z.string(),
  image: z.string(),
  key: z.string().nullable(),
  user_data: z.string().nullable(),
});

/** What that cloud has. */
export function nodesOf(folder: string): z.infer<typeof nodeSchema>[] {
  const path = join(folder, 'memory.json');
  if (!existsSync(path)) return [];
  return z.object({ nodes: z.array(nodeSchema) }).parse(JSON.parse(readFileSync(path, 'utf8'))).nodes;
}

/** The configuration of an EC2 at this address. */
export function ec2Cloud(url: string): Record<string, unknown> {
  process.env['PACELINE_TEST_SECRET'] ??= 'testing-testing';
  const { hostname, port } = new URL(url);
  return {
    driver: 'ec2',
    python,
    root: scratch(),
    credentials: { secret: { env: 'PACELINE_TEST_SECRET' } },
    arguments: { key: 'testing', region: 'eu-west-3', secure: false, host: hostname, port: Number(port) },
    sizes: ['t3.micro', 't3.small'],
    listConsistencySeconds: 2,
  };
}

const cloudsFile = join(process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed', 'openstack', 'clouds.yaml');
const authSchema = z.object({ auth_url: z.url(), username: z.string(), password: z.string(), project_name: z.string() });
const fileSchema = z.object({ clouds: z.object({ paceline: z.object({ auth: authSchema, region_name: z.string() }) }) });

/** Why there is no OpenStack; undefined if there is. docs/testbed.md says where it would be. */
export async function whyNoOpenStack(): Promise<string | undefined> {
  const remedy = 'npm run testbed -- openstack';
  if (!existsSync(cloudsFile)) return `there is no ${cloudsFile}: ${remedy}`;
  const url = openStack().auth.auth_url;
  return fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
    ({ status }) => (status === 200 ? undefined : `Keystone at ${url} answers ${status}`),
    () => `nobody answers at ${url}: ${remedy}`,
  );
}

function openStack(): z.infer<typeof fileSchema>['clouds']['paceline'] {
  return fileSchema.parse(parse(readFileSync(cloudsFile, 'utf8'))).clouds.paceline;
}

export const novaUrl = 'http://127.0.0.1:25003';

/** The configuration of the testbed's OpenStack. @param nova what leads to Nova @param more overrides */
export function openStackCloud(nova = novaUrl, password?: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const { auth, region_name: region } = openStack();
  process.env['PACELINE_TEST_PASSWORD'] ??= auth.password;
  if (password !== undefined) process.env['PACELINE_TEST_WRONG_PASSWORD'] = password;
  return {
    driver: 'openstack',
    python,
    root: scratch(),
    credentials: { secret: { env: password === undefined ? 'PACELINE_TEST_PASSWORD' : 'PACELINE_TEST_WRONG_PASSWORD' } },
    arguments: {
      key: auth.username,
      api_version: '2.2',
      ex_force_auth_version: '3.x_password',
      ex_force_auth_url: new URL('/', auth.auth_url).origin,
      ex_tenant_name: auth.project_name,
      ex_domain_name: 'Default',
      ex_force_service_region: region,
      ex_force_base_url: `${nova}/v2.1`,
      ex_force_image_url: 'http://127.0.0.1:25002',
    },
    image: 'debian-12',
    ...more,
  };
}
