// `npm run backstage`: a real Backstage with the plugins, and a server that brings machines up on this host. Ctrl-C ends both and
// takes down what they have started. The first time Backstage is installed, which takes some minutes and a gigabyte.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBackstage } from '../backstage-plugin/dev/backstage.ts';
import { whyInstall } from './with-dependencies.mjs';

const repository = resolve(import.meta.dirname, '..');
const plugins = join(repository, 'backstage-plugin');
const paceline = join(repository, 'packages/cli/dist/paceline.mjs');
const startMs = 60_000;
const answerMs = 10_000;
const stopMs = 30_000;
/** How long the end of one run may take. */
const downMs = 5 * 60_000;
const ports = { server: 8430, backend: 7007, app: 3000 };

const folder = await mkdtemp(join(tmpdir(), 'paceline-backstage-'));
const stop = new AbortController();
// More than once: npm passes on what the terminal has sent already.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

if (whyInstall(plugins) !== undefined) run('npm', ['ci', '--no-audit', '--no-fund'], plugins);
run(process.execPath, [join(repository, 'packages/cli/build.mjs')], repository);

await writeFile(join(folder, 'clouds.yaml'), 'clouds:\n  local: { connector: local }\n');
const url = `http://127.0.0.1:${ports.server}`;
const args = ['server', '--port', String(ports.server), '--state', folder, '--clouds', join(folder, 'clouds.yaml'), '--log-level', 'warn'];
const server = spawn(process.execPath, [paceline, ...args], { cwd: repository, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
let backstage: Awaited<ReturnType<typeof startBackstage>> | undefined;
try {
  await serverIsThere();
  const token = (await readFile(join(folder, 'operator.token'), 'utf8')).trim();
  const environment = { PACELINE_SERVER: url, PACELINE_TOKEN: token };
  for (const example of ['client-server', 'load-balanced', 'postgres-replication', 'batch-cluster']) {
    run(process.execPath, [paceline, 'publish', join(repository, 'examples', example)], repository, environment);
  }
  run(process.execPath, [paceline, 'user', 'add', 'backstage', '--role', 'operator', '--project', '*'], repository, environment);
  const created = run(process.execPath, [paceline, 'token', 'create', 'backstage', '--user', 'backstage'], repository, environment);
  const log = (text: string): void => void process.stdout.write(text);
  backstage = await startBackstage({ paceline: { url, token: created.trim() }, appPort: ports.app, port: ports.backend, log });
  console.log(`\nBackstage is at ${backstage.appUrl}. Come in as a guest. Ctrl-C ends it.`);
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
} finally {
  await backstage?.stop();
  const left = await takeDown();
  await end(server);
  // With it the next server would find the machines.
  if (left.length === 0) await rm(folder, { recursive: true, force: true });
  else console.error(`Still there: ${left.join(', ')}. To end them: paceline server --state ${folder} --clouds ${folder}/clouds.yaml`);
}

function run(program: string, given: string[], cwd: string, environment: NodeJS.ProcessEnv = {}): string {
  const { status, stdout } = spawnSync(program, given, {
    cwd,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${given.slice(0, 2).join(' ')} ended with ${status}\n${stdout}`);
  return stdout;
}

async function serverIsThere(): Promise<void> {
  const deadline = performance.now() + startMs;
  for (;;) {
    if ((await fetch(`${url}/api/health`).catch(() => undefined))?.ok === true) return;
    if (server.exitCode !== null || performance.now() > deadline) throw new Error(`The server does not answer at ${url}`);
    await sleep(100);
  }
}

/** Ends all runs, each by itself. @returns the ids of those that could not be ended */
async function takeDown(): Promise<string[]> {
  const token = (await readFile(join(folder, 'operator.token'), 'utf8').catch(() => '')).trim();
  const left = new Set<string>();
  // Without one the server has never begun.
  while (token !== '') {
    const runs = await activeRuns(token).catch((error: unknown) => void left.add(`perhaps more (${String(error)})`));
    const next = runs?.filter((id) => !left.has(id)) ?? [];
    if (next.length === 0) return [...left];
    console.log(`\nTaking down what still runs: ${next.length}`);
    for (const id of next) {
      const { status } = spawnSync(process.execPath, [paceline, 'down', id], {
        cwd: repository,
        env: { ...process.env, PACELINE_SERVER: url, PACELINE_TOKEN: token },
        stdio: ['ignore', 'ignore', 'inherit'],
        timeout: downMs,
      });
      if (status !== 0) left.add(id);
    }
  }
  return [];
}

async function activeRuns(token: string): Promise<string[]> {
  const answer = await fetch(`${url}/api/runs?active=true&limit=500`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(answerMs),
  });
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  const { runs } = (await answer.json()) as { runs: { id: string }[] };
  return runs.map(({ id }) => id);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await gone;
  clearTimeout(timer);
}
