import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, engine, first, launchRequest } from '@paceline/connector-host/testing';
import type { Connector, LaunchRequest, Machine, OwnerQuery, Resource } from '@paceline/engine/connector';
import { createImage, type ImageRecord } from '../image-factory.ts';
import { configSchema, type Config } from '../config.ts';
import { connectorModule } from '../index.ts';
import { machineDirectory, runOf } from '../site.ts';

export { context, engine, first, launchRequest, openEngine, textOf, until } from '@paceline/connector-host/testing';

/** A root file system with cloud-init, as a directory or archive; ordinary users cannot have machines without one. */
export const testImage = process.env['PACELINE_SANDBOX_IMAGE'] ?? '';

/** A connector with a root of its own. `await using` takes everything down again and removes the root. */
export interface TestSandbox extends AsyncDisposable {
  config: Config;
  connector: Connector;
  launch(userData: string, options?: Partial<LaunchRequest> & { count?: number }): Promise<Machine[]>;
  launchOne(userData: string, options?: Partial<LaunchRequest>): Promise<Machine>;
  describe(id: string): Promise<Machine | undefined>;
  list(query?: Partial<OwnerQuery>): Promise<Resource[]>;
  createImage(machine: { id: string }, name: string): Promise<ImageRecord>;
  path(machine: { id: string }, ...names: string[]): string;
}

export async function openSandbox(settings: Record<string, unknown> = {}): Promise<TestSandbox> {
  // With a space, so that no shell gets away without quotes.
  const root = await mkdtemp(join(tmpdir(), 'paceline sandbox-'));
  const config = configSchema.parse({ root, ...(testImage !== '' && { image: testImage }), ...settings });
  const connector = connectorModule.createConnector(config);
  const sandbox: TestSandbox = {
    config,
    connector,
    launch: (userData, options) => connector.launch(launchRequest(userData, { image: testImage, ...options }), context),
    launchOne: async (userData, options) => first(await sandbox.launch(userData, options)),
    describe: async (id) => (await connector.describe([id], context)).get(id),
    list: async (query) => {
      const found: Resource[] = [];
      for await (const resource of connector.list({ engine, ...query }, context)) {
        found.push(resource);
      }
      return found;
    },
    createImage: (machine, name) => createImage(config, machine.id, name),
    path: ({ id }, ...names) => join(machineDirectory(runOf({ runs: join(root, 'runs') }, id) ?? '', id), ...names),
    async [Symbol.asyncDispose]() {
      const resources = await sandbox.list();
      const machines = resources.filter(({ kind }) => kind === 'machine');
      await connector.terminate(
        machines.map(({ id }) => id),
        context,
      );
      for (const image of resources.filter(({ kind }) => kind === 'image').toReversed()) {
        await connector.remove?.(image, context);
      }
      await rm(root, { recursive: true, force: true });
    },
  };
  return sandbox;
}

/** What there is on the host because of this sandbox, besides files. */
export async function tracesOf({ config }: TestSandbox): Promise<{ processes: number[]; interfaces: string[] }> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
      return command + (await readlink(`/proc/${pid}/cwd`).catch(() => ''));
    }),
  );
  const links = process.getuid?.() === 0 ? execFileSync('ip', ['-br', 'address'], { encoding: 'utf8' }) : '';
  const range = new RegExp(`\\b${config.network.split('.').slice(0, 2).join('\\.')}\\.`);
  return {
    processes: pids.filter((_, at) => places[at]?.includes(config.root)).map(Number),
    // The hosts of other tests may have a network in that range.
    interfaces: links.split('\n').filter((line) => line.startsWith('paceline-') && range.test(line)),
  };
}
