import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProxiedRequest } from '@paceline/engine/conformance';
import { parse, stringify } from 'yaml';
import * as z from 'zod';

/** Of the testbed; docs/testbed.md. */
export const cloudsFile = join(process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed', 'openstack', 'clouds.yaml');

const entrySchema = z.looseObject({ auth: z.looseObject({ auth_url: z.url() }) });
const fileSchema = z.object({ clouds: z.record(z.string(), entrySchema) });

/** Why there is no OpenStack; undefined if there is: what a testbed has left says nothing, its Keystone does. */
export const reason = await whyNot();
if (reason !== undefined) console.warn(`Machines of OpenStack are not tested here: ${reason}`);

async function whyNot(): Promise<string | undefined> {
  const remedy = 'npm run testbed -- openstack';
  let url: string;
  try {
    url = entryOf('paceline').auth.auth_url;
  } catch {
    return `there is no ${cloudsFile}: ${remedy}`;
  }
  return fetch(url, { signal: AbortSignal.timeout(10_000) }).then(
    ({ status }) => (status === 200 ? undefined : `Keystone at ${url} answers ${status}`),
    () => `nobody answers at ${url}: ${remedy}`,
  );
}

function entryOf(cloud: string): z.infer<typeof entrySchema> {
  const entry = fileSchema.parse(parse(readFileSync(cloudsFile, 'utf8'))).clouds[cloud];
  if (entry === undefined) throw new Error(`${cloudsFile} has no cloud ${cloud}`);
  return entry;
}

const ports: Record<string, number> = { identity: 25_000, image: 25_002, compute: 25_003, network: 25_004 };

/** What clients learn of a service by asking it for its versions leads to the root of its host. */
const roots: Record<string, string> = { v3: 'identity', v2: 'image', 'v2.1': 'compute', 'v2.0': 'network' };

/** All services at one address, told apart by the first part of the path, as many clouds have them. */
export interface Gateway extends AsyncDisposable {
  url: string;
}

/** @param pageSize of lists of machines, as clouds set it @default that of the testbed */
export async function openGateway(pageSize?: number): Promise<Gateway> {
  const server = createServer((incoming, response) => {
    const { url: asked = '/' } = incoming;
    const [, first = '', below = '/'] = /^\/([^/?]+)(.*)$/.exec(asked) ?? [];
    const service = roots[first] ?? first;
    const rest = service === first ? below : asked;
    const path =
      pageSize !== undefined && rest.includes('/servers/detail?') && !rest.includes('limit=') ? `${rest}&limit=${pageSize}` : rest;
    const options = {
      port: ports[service],
      host: '127.0.0.1',
      path,
      method: incoming.method,
      headers: incoming.headers,
    };
    const outgoing = send(options, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A clouds.yaml by which everything goes through a gateway, or through a proxy before it. */
export async function writeClouds(
  url: string,
  change: (auth: Record<string, unknown>) => Record<string, unknown> = (auth) => auth,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-openstack-'));
  folders.push(folder);
  const through = (cloud: string): unknown => {
    const { auth, ...rest } = entryOf(cloud);
    return {
      ...rest,
      auth: change({ ...auth, auth_url: `${url}/identity/v3` }),
      compute_endpoint_override: `${url}/compute/v2.1`,
      image_endpoint_override: `${url}/image`,
      network_endpoint_override: `${url}/network`,
    };
  };
  const path = join(folder, 'clouds.yaml');
  await writeFile(path, stringify({ clouds: { paceline: through('paceline'), small: through('small') } }));
  return path;
}

const folders: string[] = [];

/** Removes what {@link writeClouds} has written. */
export async function removeClouds(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
}

export function isLaunch({ method, path }: ProxiedRequest): boolean {
  return method === 'POST' && /\/compute\/.*\/servers$/.test(path);
}
