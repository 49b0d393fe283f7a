import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Connector, ConnectorContext, LaunchRequest, Machine, OwnerQuery, Resource } from '@paceline/engine/connector';
import { connectorModule } from '../index.ts';
import { openProcessTable } from '../process-table.ts';

export const context: ConnectorContext = {
  signal: new AbortController().signal,
  log: { info: () => undefined, warn: () => undefined },
  now: Date.now,
};

export const engine = 'engine-under-test';

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

export function launchRequest(userData: string, options: Partial<LaunchRequest> & { count?: number } = {}): LaunchRequest {
  const { count = 1, ...rest } = options;
  const bytes = new TextEncoder().encode(userData);
  return {
    token: randomBytes(16).toString('hex'),
    owner: { engine, run: 'run-1', node: 'server' },
    machines: Array.from({ length: count }, (_, at) => ({ index: at + 1, name: `server-${at + 1}`, userData: bytes })),
    image: '',
    ports: [],
    expiresAt: new Date(Date.now() + 3_600_000),
    ...rest,
  };
}

export function first<T>(values: readonly T[]): T {
  const [value] = values;
  if (value === undefined) {
    throw new Error('nothing there');
  }
  return value;
}

/** Waits for a condition; the answer is its first value that is neither undefined nor false. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false> | T | undefined | false, ms = 10_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) {
      return value;
    }
    if (Date.now() > end) {
      throw new Error(`waited in vain for: ${what}`);
    }
    await pause(5);
  }
}

export async function textOf(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === '' ? undefined : text?.trim();
}

/** Pids of all processes on this host whose environment holds this text. */
export async function carriersOf(mark: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(async (pid) => ((await textOf(`/proc/${pid}/environ`))?.includes(mark) ? [Number(pid)] : [])));
  return found.flat();
}

/** Whether a process lives; one that its parent has not yet buried does not. */
export function lives(pid: number): boolean {
  return openProcessTable('linux').isAlive({ pid, start: '' });
}
