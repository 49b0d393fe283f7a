import { access, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isPacelineError, PacelineError, parseDuration } from '@paceline/model';
import { behindTunnel, CloudWatch, openClouds, readClouds, type CloudsSource } from '@paceline/clouds';
import type { ConfiguredCloud } from '@paceline/engine';
import { durationOf, lostTheRace, removeEngineFile, writeEngineFile } from '@paceline/door';
import { isLoopback, openServer, StateDirectory } from '@paceline/server';
import { watchIdle } from '../embedded/idle-watch.ts';
import { stateLocation } from '../embedded/state-location.ts';
import { rememberClouds, rememberedClouds } from '../embedded/told-clouds.ts';
import { readLogins } from '../logins-file.ts';
import { agentPath, brokenInstallation, dashboardPath } from '../program-files.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { wholeNumber } from '../whole-number.ts';
import { version } from '../version.ts';

export interface ServerCommandOptions extends GlobalOptions {
  host: string;
  port: string;
  maxConnections: string;
  tlsCert?: string;
  tlsKey?: string;
  publicUrl?: string;
  database?: string;
  replicaUrl?: string;
  clouds?: string;
  logins?: string;
  dashboard: boolean;
  keepRuns: string;
  keepOutput: string;
  keepReports: string;
  ownerTag?: string;
  embedded?: boolean;
  idleExit?: string;
  logLevel: string;
}

/** `paceline server`: the engine behind HTTP, until a signal or, embedded, until nobody needs it any more. */
export async function serverCommand(options: ServerCommandOptions, shell: Shell): Promise<number> {
  const state = await StateDirectory.open(stateLocation(options, shell));
  const embedded = options.embedded ?? false;
  const stopped = Promise.withResolvers<string>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.resolve(signal));
  if (embedded) process.on('SIGHUP', () => {});
  const clouds = await chooseClouds(state.path, options, shell);
  await access(agentPath()).catch((cause: unknown) => {
    throw brokenInstallation(`The agent is not at ${agentPath()}`, cause);
  });
  const opened = await openClouds(clouds, import.meta.dirname);
  const isAlone = options.publicUrl === undefined && isLoopback(options.host);
  const reached = (cloud: ConfiguredCloud): ConfiguredCloud => (isAlone ? behindTunnel(cloud) : cloud);
  const server = await openServer({
    state,
    host: options.host,
    port: wholeNumber('--port', options.port, 0, 65_535),
    clouds: opened.map(reached),
    agentPath: agentPath(),
    version,
    logger: { level: options.logLevel, stream: process.stderr },
    retention: {
      runsMs: durationOf('--keep-runs', options.keepRuns),
      logsMs: durationOf('--keep-output', options.keepOutput),
      reportsMs: durationOf('--keep-reports', options.keepReports),
    },
    limits: { maxConnections: wholeNumber('--max-connections', options.maxConnections, 1, 10_000_000) },
    ...(await tlsOf(options, shell)),
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    ...(options.logins === undefined ? {} : await readLogins(resolve(shell.cwd, options.logins), shell.env)),
    ...(embedded || !options.dashboard ? {} : { dashboardPath: dashboardPath() }),
    ...(options.ownerTag === undefined ? {} : { ownerTag: options.ownerTag }),
    ...(clouds.budget === undefined ? {} : { budget: clouds.budget }),
    ...(options.database === undefined ? {} : { database: options.database }),
    ...(options.replicaUrl === undefined ? {} : { replicaUrl: options.replicaUrl }),
  }).catch((error: unknown) => {
    if (embedded && isPacelineError(error) && error.code === 'PACELINE_STORE_LOCKED') return undefined;
    throw error;
  });
  if (server === undefined) return lostTheRace;
  const watch = new CloudWatch({
    source: clouds,
    // An engine in the background has one set of clouds, whatever becomes of its file.
    ...(embedded ? {} : { read: () => chooseClouds(state.path, options, shell) }),
    clouds: opened,
    program: import.meta.dirname,
    set: (cloud) => server.engine.clouds.set(reached(cloud)),
    log: server.log,
  });
  watch.start();
  try {
    const reachable = server.url.startsWith('http:');
    if (embedded && options.clouds !== undefined) await rememberClouds(state.path, clouds);
    if (reachable)
      await writeEngineFile(state.path, {
        url: server.url,
        pid: process.pid,
        version,
        clouds: { file: clouds.file, digest: clouds.digest },
      });
    if (!embedded) announce(server.url, clouds, state.path, shell);
    const idle = embedded
      ? watchIdle(
          idleTime(options.idleExit),
          () => server.engine.busy,
          () => stopped.resolve('idle'),
        )
      : undefined;
    const why = await stopped.promise;
    say(shell, embedded ? `stops: ${why}` : 'The server stops; runs go on with the next one.');
    idle?.stop();
    return 0;
  } finally {
    watch.stop();
    // Whoever looks now must not be sent to a server that is about to close.
    await removeEngineFile(state.path).catch((error: unknown) => say(shell, `warning: ${String(error)}`));
    await server.close();
  }
}

function announce(url: string, { entries }: CloudsSource, state: string, shell: Shell): void {
  shell.stdout.write(`Paceline listens on ${url}\n`);
  say(shell, `Clouds: ${entries.length === 0 ? 'none, so no run can start' : entries.map(({ name }) => name).join(', ')}`);
  say(shell, `Token:  export PACELINE_SERVER=${url} PACELINE_TOKEN="$(cat '${join(state, 'operator.token')}')"`);
}

/**
 * The clouds that were told, else, for an embedded engine, those that it was last told: runs that go on need theirs, whoever
 * starts it again, and whatever has become of the file.
 */
async function chooseClouds(state: string, { clouds, embedded }: ServerCommandOptions, shell: Shell): Promise<CloudsSource> {
  if (clouds !== undefined) return readClouds(state, clouds === '' ? undefined : resolve(shell.cwd, clouds));
  return (embedded ? await rememberedClouds(state) : undefined) ?? readClouds(state, undefined);
}

async function tlsOf({ tlsCert, tlsKey }: ServerCommandOptions, { cwd }: Shell): Promise<{ tls?: { cert: string; key: string } }> {
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', '--tls-cert and --tls-key go together');
  }
  const [cert, key] = await Promise.all([tlsCert, tlsKey].map((path) => readPem(resolve(cwd, path))));
  return { tls: { cert: cert ?? '', key: key ?? '' } };
}

function readPem(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: Error) => {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `${path} cannot be read: ${cause.message}`, { cause });
  });
}

function idleTime(text = '10s'): number {
  const ms = parseDuration(text);
  if (ms === undefined)
    throw new PacelineError('PACELINE_REQUEST_INVALID', `'${text}' is not a duration`, { hint: 'Write it as 10s or 5m.' });
  return ms;
}
