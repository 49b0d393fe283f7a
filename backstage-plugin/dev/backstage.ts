/** Starts the real Backstage of this folder, for tests and for people; what it needs of Backstage has to be installed here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { serveApp, type ServedApp } from './app-server.ts';
import { buildApp, buildBackend } from './bundles.ts';

const folder = resolve(import.meta.dirname, '..');
export const isInstalled = existsSync(join(folder, 'node_modules/@backstage/backend-defaults/package.json'));

const startMs = 120_000;
const stopMs = 10_000;

export interface BackstageOptions {
  /** The Paceline server, and a token of an operator there; or, for the engine within, its folder and its file of clouds. */
  paceline: { url: string; token: string } | { state: string; clouds: string };
  /** Of the back end; 0 takes a free one. */
  port: number;
  /** A database of PostgreSQL. @default one in memory */
  database?: string;
  /** Where several back ends on one database are reached. @default the address of this one */
  publicUrl?: string;
  /** Of the application for browsers; 0 takes a free one. @default there is none */
  appPort?: number;
  /** What to start. @default the back end of this folder, made of the sources */
  program?: string;
  /** Where the log goes. */
  log: (text: string) => void;
}

/** A back end that is ready. */
export interface Backstage {
  url: string;
  /** Where browsers find it; empty without an application. */
  appUrl: string;
  /** @param signal SIGKILL leaves it no time for anything. @default SIGTERM */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** @throws when it ends before it is ready, or is not ready within two minutes */
export async function startBackstage({ paceline, appPort, port, database, publicUrl, program, log }: BackstageOptions): Promise<Backstage> {
  const listen = port === 0 ? await freePort() : port;
  const url = `http://localhost:${listen}`;
  const started = program ?? (await buildBackend());
  const app = appPort === undefined ? undefined : await serveApp(await buildApp(), appPort, url);
  const configs = [
    'app-config.yaml',
    'url' in paceline ? 'with-server.yaml' : 'with-engine.yaml',
    ...(database === undefined ? [] : ['with-postgres.yaml']),
  ];
  const args = ['--no-node-snapshot', started, ...configs.flatMap((name) => ['--config', join(folder, 'dev', name)])];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      BACKEND_URL: publicUrl ?? url,
      REPLICA_URL: url,
      BACKEND_LISTEN: `127.0.0.1:${listen}`,
      APP_URL: app?.url ?? url,
      ...(database === undefined ? {} : { DATABASE_URL: database }),
      EXAMPLES: resolve(folder, '../examples/backstage'),
      ...('url' in paceline
        ? { PACELINE_URL: paceline.url, PACELINE_TOKEN: paceline.token }
        : { PACELINE_STATE: paceline.state, PACELINE_CLOUDS: paceline.clouds }),
    },
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => log(text));
  try {
    await ready(child, url);
  } catch (error) {
    await stop(child, app);
    throw error;
  }
  return { url, appUrl: app?.url ?? '', stop: (signal) => stop(child, app, signal) };
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + startMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`Backstage has ended with ${child.exitCode ?? child.signalCode}`);
    const answer = await fetch(`${url}/.backstage/health/v1/readiness`).catch(() => undefined);
    if (answer?.ok === true) return;
    await delay(200);
  }
  throw new Error(`Backstage is not ready after ${startMs / 1000} s`);
}

async function stop(child: ChildProcess, app: ServedApp | undefined, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  app?.close();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await gone;
  clearTimeout(timer);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('No port is free');
  return address.port;
}
