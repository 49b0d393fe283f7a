import { randomBytes } from 'node:crypto';
import { context, engine, first, launchRequest, until } from '@paceline/connector-host/testing';
import type { Connector, LaunchRequest, Machine, OwnerQuery, Resource } from '@paceline/engine/connector';
import * as z from 'zod';
import { createClient, type Client } from '../client.ts';
import { configSchema, type Config } from '../config.ts';
import { connectorModule } from '../index.ts';
import { testImage, testSocket } from './with-lxd.ts';

export { context, first, launchRequest, openEngine, until } from '@paceline/connector-host/testing';

/** A connector with a project of its own. `await using` removes everything in it, and the project. */
export interface TestLxd extends AsyncDisposable {
  config: Config;
  /** What names end in. */
  suffix: string;
  connector: Connector;
  /** A request for machines whose names nobody else has: their host names are known to all projects on a bridge. */
  request(userData: string, options?: Partial<LaunchRequest> & { count?: number }): LaunchRequest;
  /** To the server itself, whatever stands between it and the connector. */
  client: Client;
  launch(userData: string, options?: Partial<LaunchRequest> & { count?: number }): Promise<Machine[]>;
  launchOne(userData: string, options?: Partial<LaunchRequest>): Promise<Machine>;
  describe(id: string): Promise<Machine | undefined>;
  list(query?: Partial<OwnerQuery>): Promise<Resource[]>;
  /** The names of all instances in the project, whoever made them. */
  instances(): Promise<string[]>;
}

const { signal } = context;

/** @param limits settings of the project */
export async function openLxd(settings: Record<string, unknown> = {}, limits: Record<string, string> = {}): Promise<TestLxd> {
  const suffix = randomBytes(4).toString('hex');
  const project = `paceline-${suffix}`;
  const direct = configSchema.parse({ socket: testSocket, project });
  const config = configSchema.parse({
    ...(settings['url'] === undefined && { socket: testSocket }),
    image: testImage,
    project,
    ...settings,
  });
  const client = createClient(direct);
  const features = { 'features.images': 'false', 'features.profiles': 'false', 'features.storage.volumes': 'false' };
  const body = { name: project, config: { ...features, ...limits } };
  await client.change('make a project', 'POST', '/1.0/projects', { body, signal });
  const connector = connectorModule.createConnector(config);
  const lxd: TestLxd = {
    config,
    connector,
    client,
    request(userData, options) {
      const request = launchRequest(userData, options);
      const machines = request.machines.map((machine) => ({ ...machine, name: `${machine.name}-${suffix}` }));
      return options?.machines === undefined ? { ...request, machines } : request;
    },
    suffix,
    launch: (userData, options) => connector.launch(lxd.request(userData, options), context),
    launchOne: async (userData, options) => first(await lxd.launch(userData, options)),
    describe: async (id) => (await connector.describe([id], context)).get(id),
    list: (query) => listAll(connector, { engine, ...query }),
    async instances() {
      const urls = await client.get('list', '/1.0/instances', z.array(z.string()), { signal });
      return urls.map((url) => url.replace(/\?.*/, '').replace(/.*\//, ''));
    },
    async [Symbol.asyncDispose]() {
      const own = connectorModule.createConnector(direct);
      // The server may be busy with one of them.
      await until('all machines to be gone', async () => {
        const left = (await listAll(own, { engine })).filter(({ kind }) => kind === 'machine').map(({ id }) => id);
        return left.length === 0 || (await own.terminate(left, context).catch(() => undefined), false);
      });
      await client.change('remove the project', 'DELETE', `/1.0/projects/${project}`, { signal });
      await connector.close?.();
      client.close();
    },
  };
  return lxd;
}

async function listAll(connector: Connector, query: OwnerQuery): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const resource of connector.list(query, context)) {
    found.push(resource);
  }
  return found;
}
