import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { Clouds, createCipher, Engine, openSqlite, ReportFiles, RunStore, type Cloud } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import { buildApp, type AppOptions } from './app.ts';
import { createAccess } from './auth/access.ts';
import type { App } from './routes/routes.ts';
import type { StateDirectory } from './state-directory.ts';

export interface ServerOptions {
  state: StateDirectory;
  host: string;
  /** 0 takes a free one. */
  port: number;
  clouds: Cloud[];
  /** Path of the agent bundle. */
  agentPath: string;
  version: string;
  logger: AppOptions['logger'];
  /** PEM texts; without them the server listens on loopback only. */
  tls?: { cert: string; key: string };
  /** What machines are told to call, when it is not the address that the server listens on. */
  publicUrl?: string;
  /** The largest report that is taken, in bytes. */
  maxReportBytes?: number;
}

export interface RunningServer {
  url: string;
  engine: Engine;
  /** Stops listening and leaves all runs for the next server on this state. */
  close(): Promise<void>;
}

const defaultMaxReportBytes = 4 * 1024 ** 3;

/**
 * Opens the engine on a state directory and serves it.
 * @throws PACELINE_STORE_LOCKED when another server uses the state, PACELINE_REQUEST_INVALID for plain HTTP beyond loopback
 */
export async function openServer(options: ServerOptions): Promise<RunningServer> {
  const { state, host, port, tls } = options;
  if (tls === undefined && !isLoopback(host)) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `Plain HTTP on ${host} would send tokens in the clear`, {
      hint: 'Give --tls-cert and --tls-key, or listen on 127.0.0.1.',
    });
  }
  const bundle = await readFile(options.agentPath);
  const agent = { path: options.agentPath, sha256: createHash('sha256').update(bundle).digest('hex') };
  const key = await state.key();
  const store = await RunStore.open(openSqlite(state.database), createCipher(key));
  let url = '';
  const log = { info: (message: string) => app.log.info(message), warn: (message: string) => app.log.warn(message) };
  const engine = await Engine.open({
    store,
    clouds: new Clouds(options.clouds),
    reports: new ReportFiles(state.reports, options.maxReportBytes ?? defaultMaxReportBytes),
    log,
    key,
    agentSha256: agent.sha256,
    url: () => options.publicUrl ?? url,
  });
  const access = createAccess(engine, await state.operatorToken());
  const app = await buildApp({
    engine,
    access,
    agent,
    version: options.version,
    logger: options.logger,
    ...(tls === undefined ? {} : { https: tls }),
  });
  await engine.load();
  url = await listen(app, host, port, state);
  engine.start();
  return {
    url,
    engine,
    async close() {
      await app.close();
      await engine.close();
    },
  };
}

/** Machines that are out already know the port of the last time, so it is taken again when any will do. */
async function listen(app: App, host: string, port: number, state: StateDirectory): Promise<string> {
  const last = port === 0 ? await state.lastPort() : undefined;
  const url = await app.listen({ host, port: last ?? port }).catch((error: NodeJS.ErrnoException) => {
    if (last === undefined || error.code !== 'EADDRINUSE') throw error;
    app.log.warn(`port ${last}, which earlier machines were told, is taken: they cannot reach this server`);
    return app.listen({ host, port: 0 });
  });
  await state.rememberPort(Number(new URL(url).port));
  return url;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
