import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

const oldest = 15;
const user = 'paceline';
const password = 'made-up/for:tests';
const startTimeoutMs = 30_000;

/** Where Debian keeps the programs of the newest PostgreSQL that is installed and new enough. */
export const postgresPrograms = globSync('/usr/lib/postgresql/*/bin/initdb')
  .map((path) => path.replace(/\/initdb$/, ''))
  .filter((folder) => majorOf(folder) >= oldest)
  .toSorted((one, other) => majorOf(other) - majorOf(one))[0];

/** Said by tests that are skipped. */
export const withoutPostgres = ` (needs PostgreSQL ${oldest} or newer: apt-get install postgresql)`;

/** A real PostgreSQL, with fsync, on a port of this host and in a folder that goes with it. */
export class PostgresCluster {
  readonly #programs: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #connections: number;
  #postmaster: ChildProcess | undefined;
  #databases = 0;

  constructor(programs: string, folder: string, port: number, connections: number) {
    this.#programs = programs;
    this.#folder = folder;
    this.#port = port;
    this.#connections = connections;
  }

  /** Of the database that is there from the beginning. */
  get url(): string {
    return this.urlOf('postgres');
  }

  /** Of the postmaster. */
  get pid(): number {
    return this.#postmaster?.pid ?? 0;
  }

  urlOf(database: string, as = `${user}:${encodeURIComponent(password)}`): string {
    return `postgres://${as}@127.0.0.1:${this.#port}/${database}`;
  }

  /** Makes a new, empty database. @returns its URL */
  async createDatabase(options = ''): Promise<string> {
    const name = `test_${++this.#databases}`;
    await this.execute(`CREATE DATABASE ${name} ${options}`);
    return this.urlOf(name);
  }

  /** Runs SQL beside whatever is tested. */
  async execute(sql: string, url = this.url): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 1000 });
    client.on('error', () => {});
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Starts it, after `kill` on what that has left. Resolves when it lets clients in. */
  async start(): Promise<void> {
    const data = join(this.#folder, 'data');
    const settings = [
      'listen_addresses=127.0.0.1',
      'fsync=on',
      `max_connections=${this.#connections}`,
      'shared_buffers=16MB',
      'deadlock_timeout=50ms',
    ];
    const args = ['-D', data, '-k', this.#folder, '-p', String(this.#port), ...settings.flatMap((setting) => ['-c', setting])];
    const command = ['--pdeathsig', 'INT', join(this.#programs, 'postgres'), ...args];
    const postmaster = spawn('setpriv', command, { cwd: this.#folder, ...unprivileged(), stdio: ['ignore', 'ignore', 'pipe'] });
    this.#postmaster = postmaster;
    let log = '';
    postmaster.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
    for (const deadline = Date.now() + startTimeoutMs; ; await delay(10)) {
      if (hasEnded(postmaster) || Date.now() > deadline) throw new Error(`PostgreSQL does not start:\n${log}`);
      if (await this.execute('SELECT 1').catch(() => undefined)) return;
    }
  }

  /** Kills all its processes at once, as a power cut does. */
  async kill(): Promise<void> {
    this.pause();
    await this.#end('SIGKILL', this.#processes());
  }

  /** Stops all its processes where they are, until `resume`. */
  pause(): void {
    // The postmaster first, so that it makes no more of them.
    signal(this.#processes().slice(0, 1), 'SIGSTOP');
    signal(this.#processes(), 'SIGSTOP');
  }

  resume(): void {
    signal(this.#processes(), 'SIGCONT');
  }

  /** Shuts it down as its service would, and keeps its data. */
  async shutDown(): Promise<void> {
    await this.#end('SIGINT', this.#processes().slice(0, 1));
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #end(by: NodeJS.Signals, pids: number[]): Promise<void> {
    const postmaster = this.#postmaster;
    if (postmaster === undefined || hasEnded(postmaster)) return;
    const gone = once(postmaster, 'exit');
    const all = this.#processes();
    signal(pids, by);
    await gone;
    // The next one refuses to start while any of them still holds the shared memory.
    while (all.some(isAlive)) await delay(5);
  }

  /** The postmaster first, then its children. */
  #processes(): number[] {
    const { pid } = this.#postmaster ?? {};
    if (pid === undefined || this.#postmaster === undefined || hasEnded(this.#postmaster)) return [];
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return [pid, ...children.map(Number)];
  }
}

/** Makes a cluster and starts it. @throws when no PostgreSQL is installed */
export async function startPostgres({ connections = 50 } = {}): Promise<PostgresCluster> {
  if (postgresPrograms === undefined) throw new Error(`There is no PostgreSQL here${withoutPostgres}`);
  const folder = await mkdtemp(join(tmpdir(), 'paceline-postgres-'));
  const data = join(folder, 'data');
  const passwords = join(folder, 'password');
  await writeFile(passwords, password);
  await mkdir(data);
  const account = unprivileged();
  if (account !== undefined) for (const path of [folder, passwords, data]) chownSync(path, account.uid, account.gid);
  const options = [
    '--no-sync',
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--auth=scram-sha-256',
    `--username=${user}`,
    `--pwfile=${passwords}`,
  ];
  await promisify(execFile)(join(postgresPrograms, 'initdb'), [...options, data], { cwd: folder, ...account });
  const cluster = new PostgresCluster(postgresPrograms, folder, await freePort(), connections);
  await cluster.start();
  return cluster;
}

function majorOf(folder: string): number {
  return Number(/postgresql\/(\d+)/.exec(folder)?.[1]);
}

/** PostgreSQL refuses to run as root: whom to be instead. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody'].map((name) => accounts.find((account) => account.startsWith(`${name}:`))).find(Boolean);
  const [, , uid, gid] = (line ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function signal(pids: number[], name: NodeJS.Signals): void {
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, name);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
