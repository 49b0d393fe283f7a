import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { context, engine, first, launchRequest, textOf } from '@paceline/connector-host/testing';
import type { Connector, LaunchRequest, Machine, OwnerQuery, Resource } from '@paceline/engine/connector';
import { connectorModule } from '../index.ts';
import { openProcessTable } from '../process-table.ts';

export { context, engine, first, launchRequest, textOf, until } from '@paceline/connector-host/testing';

/** A connector with a root of its own. `await using` takes everything down again and removes the root. */
export interface TestHost extends AsyncDisposable {
  root: string;
  connector: Connector;
  launch(userData: string, options?: Partial<LaunchRequest> & { count?: number }): Promise<Machine[]>;
  launchOne(userData: string, options?: Partial<LaunchRequest>): Promise<Machine>;
  describe(id: string): Promise<Machine | undefined>;
  list(query?: Partial<OwnerQuery>): Promise<Resource[]>;
  path(machine: { id: string }, ...names: string[]): string;
}

export async function openHost(): Promise<TestHost> {
  // With a space, so that no shell gets away without quotes.
  const root = await mkdtemp(join(tmpdir(), 'paceline local-'));
  const connector = connectorModule.createConnector({ root });
  const host: TestHost = {
    root,
    connector,
    launch: (userData, options) => connector.launch(launchRequest(userData, options), context),
    launchOne: async (userData, options) => first(await host.launch(userData, options)),
    describe: async (id) => (await connector.describe([id], context)).get(id),
    list: async (query) => {
      const found: Resource[] = [];
      for await (const resource of connector.list({ engine, ...query }, context)) {
        found.push(resource);
      }
      return found;
    },
    path: (machine, ...names) => join(root, 'machines', machine.id, ...names),
    async [Symbol.asyncDispose]() {
      const ids = await readdir(join(root, 'machines')).catch(() => []);
      await connector.terminate(ids, context);
      await rm(root, { recursive: true, force: true });
    },
  };
  return host;
}

/** Pids of all living processes on this host whose environment holds this text. */
export async function carriersOf(mark: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(async (pid) => ((await textOf(`/proc/${pid}/environ`))?.includes(mark) ? [Number(pid)] : [])));
  return found.flat().filter(lives);
}

/** Whether a process lives; one that its parent has not yet buried does not. */
export function lives(pid: number): boolean {
  return openProcessTable('linux').isAlive({ pid, start: '' });
}
