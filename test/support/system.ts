import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { CreatedRun, EventView, LogView, ReportView, RunDetail } from '@paceline/api';
import type { ResolvedDeployment } from '@paceline/model';
import { processesWith } from './processes.ts';
import { until } from './until.ts';

export const repository = resolve(import.meta.dirname, '../..');
export const agentPath = join(repository, 'vm-agent/dist/agent.cjs');

/** A real server on the `local` cloud, in a process of its own and a folder that goes with the test. */
export class System {
  readonly folder: string;
  #child: ChildProcess | undefined;
  #url = '';
  #token = '';

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start(): Promise<System> {
    const system = new System(await mkdtemp(join(tmpdir(), 'paceline-test-')));
    await system.serve();
    return system;
  }

  get url(): string {
    return this.#url;
  }

  get token(): string {
    return this.#token;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get localRoot(): string {
    return join(this.folder, 'local');
  }

  /** Where the `light` cloud keeps its machines. */
  get lightRoot(): string {
    return `${this.localRoot}-light`;
  }

  /** Starts the server process; after `kill` it is the next server on the same state. */
  async serve(): Promise<void> {
    const args = [join(this.folder, 'state'), this.localRoot, agentPath];
    this.#child = fork(join(import.meta.dirname, 'server-main.ts'), args, {
      execArgv: ['--conditions=@paceline/source', '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = (await once(this.#child, 'message')) as [{ url: string; token: string }];
    this.#url = message.url;
    this.#token = message.token;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Ends whatever still runs and checks that nothing of it is left on this host. */
  async close(): Promise<void> {
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) await this.serve();
    for (const run of (await this.call<{ runs: { id: string }[] }>('GET', '/api/runs?active=true')).runs) {
      await this.call('DELETE', `/api/runs/${run.id}`);
      await this.run(run.id).reaches('Done', 'Aborted', 'Cancelled');
    }
    await until(() => assert.deepEqual(processesWith(`${this.localRoot}/`), []), 15_000, 50);
    await this.kill('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }

  async call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const response = await this.fetch(method, path, body, headers);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  fetch(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    return fetch(`${this.#url}${path}`, { method, ...json, headers: { authorization: `Bearer ${this.#token}`, ...type, ...headers } });
  }

  async up(deployment: ResolvedDeployment, parameters: Record<string, string> = {}, cloud = 'local'): Promise<SystemRun> {
    const created = await this.call<CreatedRun>('POST', '/api/runs', { deployment, parameters, cloud });
    return this.run(created.run.id);
  }

  run(id: string): SystemRun {
    return new SystemRun(this, id);
  }
}

/** Whatever answers as a server does. */
export type Answering = Pick<System, 'call' | 'fetch'>;

/** One run, as a client sees it. */
export class SystemRun {
  readonly #system: Answering;
  readonly id: string;

  constructor(system: Answering, id: string) {
    this.#system = system;
    this.id = id;
  }

  detail(): Promise<RunDetail> {
    return this.#system.call('GET', `/api/runs/${this.id}`);
  }

  /** Waits until the run is in one of these states. */
  async reaches(...states: string[]): Promise<RunDetail> {
    const detail = await until(async () => {
      const now = await this.detail();
      assert.ok([...states, 'Done', 'Aborted', 'Cancelled'].includes(now.state), `the run ${this.id} is still ${now.state}`);
      return now;
    });
    assert.ok(states.includes(detail.state), `${detail.state} instead of ${states.join(' or ')}: ${JSON.stringify(detail.abort)}`);
    return detail;
  }

  async events(): Promise<EventView[]> {
    return (await this.#system.call<{ events: EventView[] }>('GET', `/api/runs/${this.id}/events?limit=1000`)).events;
  }

  async logs(instance?: string): Promise<LogView[]> {
    const all: LogView[] = [];
    for (let after = 0; ; after = all.at(-1)?.seq ?? 0) {
      const { logs } = await this.#system.call<{ logs: LogView[] }>('GET', `/api/runs/${this.id}/logs?limit=1000&after=${after}`);
      if (logs.length === 0) return all.filter((log) => instance === undefined || log.instance === instance);
      all.push(...logs);
    }
  }

  async output(instance: string, stream: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
    return (await this.logs(instance))
      .filter((log) => log.stream === stream)
      .map(({ text }) => text)
      .join('');
  }

  async get(key: string): Promise<string | null> {
    return (
      await this.#system.call<{ value: string | null }>('GET', `/api/runs/${this.id}/parameters/${encodeURIComponent(key)}?reveal=true`)
    ).value;
  }

  set(key: string, value: string): Promise<unknown> {
    return this.#system.call('PUT', `/api/runs/${this.id}/parameters/${encodeURIComponent(key)}`, { value });
  }

  /** Takes a value away, so that reading it waits again. */
  reset(key: string): Promise<unknown> {
    return this.#system.call('DELETE', `/run/${this.id}/${encodeURIComponent(key)}`);
  }

  scale(node: string, wish: object, id: string = randomUUID()): Promise<{ instances: string[] }> {
    return this.#system.call('POST', `/api/runs/${this.id}/scale`, { id, node, ...wish });
  }

  async reports(): Promise<ReportView[]> {
    return (await this.#system.call<{ reports: ReportView[] }>('GET', `/api/runs/${this.id}/reports`)).reports;
  }

  async report(name: string): Promise<Buffer> {
    const response = await this.#system.fetch('GET', `/api/runs/${this.id}/reports/${name}`);
    assert.equal(response.status, 200);
    return Buffer.from(await response.arrayBuffer());
  }

  down(): Promise<unknown> {
    return this.#system.call('DELETE', `/api/runs/${this.id}`);
  }
}
