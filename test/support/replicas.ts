import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreatedRun } from '@paceline/api';
import type { ResolvedDeployment } from '@paceline/model';
import { Balancer } from './balancer.ts';
import { startPostgres, type PostgresCluster } from './postgres.ts';
import { processesWith } from './processes.ts';
import { agentPath, SystemRun, type Answering } from './system.ts';
import { until } from './until.ts';

export interface Replica {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Several real servers on one real PostgreSQL, behind one address. */
export class Replicas implements Answering {
  readonly folder: string;
  readonly postgres: PostgresCluster;
  readonly #balancer: Balancer;
  #replicas: Replica[] = [];
  #token = '';

  private constructor(folder: string, postgres: PostgresCluster, balancer: Balancer) {
    this.folder = folder;
    this.postgres = postgres;
    this.#balancer = balancer;
  }

  static async start(count: number): Promise<Replicas> {
    const folder = await mkdtemp(join(tmpdir(), 'paceline-replicas-'));
    const postgres = await startPostgres();
    const replicas: Replicas = new Replicas(folder, postgres, await Balancer.open(() => replicas.all.map(({ url }) => url)));
    for (let i = 0; i < count; i++) await replicas.add();
    return replicas;
  }

  get localRoot(): string {
    return join(this.folder, 'local');
  }

  get all(): readonly Replica[] {
    return this.#replicas;
  }

  async add(): Promise<Replica> {
    const child = fork(join(import.meta.dirname, 'server-main.ts'), [join(this.folder, 'state'), this.localRoot, agentPath], {
      execArgv: ['--conditions=@paceline/source', '--disable-warning=ExperimentalWarning'],
      env: { ...process.env, TEST_DATABASE: this.postgres.url, TEST_PUBLIC_URL: this.#balancer.url },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = (await once(child, 'message')) as [{ url: string; token: string }];
    this.#token = message.token;
    const replica = { child, url: message.url };
    this.#replicas.push(replica);
    return replica;
  }

  /** Ends a process; with SIGTERM it lets its runs go first. */
  async end(replica: Replica, signal: NodeJS.Signals): Promise<void> {
    this.#replicas = this.#replicas.filter((each) => each !== replica);
    const gone = once(replica.child, 'exit');
    replica.child.kill(signal);
    await gone;
  }

  /** The process that drives a run. */
  async ownerOf(run: SystemRun): Promise<Replica> {
    const [row] = await this.postgres.execute(
      `SELECT replicas.url FROM runs JOIN replicas ON replicas.id = runs.owner WHERE runs.id = '${run.id}'`,
    );
    const owner = this.#replicas.find(({ url }) => url === row?.['url']);
    assert.ok(owner !== undefined, 'nobody drives the run');
    return owner;
  }

  fetch(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    return fetch(`${this.#balancer.url}${path}`, {
      method,
      ...json,
      headers: { authorization: `Bearer ${this.#token}`, ...type, ...headers },
    });
  }

  /** Asks again while servers are away or runs change hands, as our own client does. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return until(async () => {
      const response = await this.fetch(method, path, body);
      const text = await response.text();
      assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text === '' ? 'null' : text) as T;
    });
  }

  async up(deployment: ResolvedDeployment): Promise<SystemRun> {
    const id = crypto.randomUUID();
    await this.call<CreatedRun>('POST', '/api/runs', { id, deployment, cloud: 'local' });
    return new SystemRun(this, id);
  }

  async close(): Promise<void> {
    try {
      for (const { child } of this.#replicas) child.kill('SIGCONT');
      await until(() => assert.deepEqual(processesWith(`${this.localRoot}/`), []), 15_000, 50);
    } finally {
      for (const replica of this.#replicas) await this.end(replica, 'SIGTERM');
      this.#balancer.close();
      await this.postgres.stop();
      await rm(this.folder, { recursive: true, force: true });
    }
  }
}
