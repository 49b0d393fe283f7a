import { createClient, type Client } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { chooseClouds, engineFetch, engineGone, type EngineRecord, type EngineWanted, ensureEngine } from '@paceline/door';
import { StateDirectory } from '@paceline/server';
import { stateLocation } from '../embedded/state-location.ts';
import { programCommand } from '../program-files.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { version } from '../version.ts';

export interface ConnectOptions {
  /** The clouds that a new run needs, for the embedded engine: a file, or null for those of the state directory. */
  clouds?: { file: string | null };
}

/**
 * A client of the server that is named by option or environment, else of the embedded engine, which is started if need be.
 * @throws PACELINE_UNAUTHENTICATED without a token for a named server, PACELINE_UNREACHABLE when the engine does not start,
 *   PACELINE_CONFLICT when it is busy with other clouds
 */
export async function connect(globals: GlobalOptions, shell: Shell, options: ConnectOptions = {}): Promise<Client> {
  const server = globals.server ?? shell.env['PACELINE_SERVER'];
  if (server === undefined || server === '') return connectEmbedded(globals, shell, options);
  const token = globals.token ?? shell.env['PACELINE_TOKEN'];
  if (token === undefined || token === '') {
    throw new PacelineError('PACELINE_UNAUTHENTICATED', `There is no token for ${server}`, { hint: 'Set PACELINE_TOKEN.' });
  }
  return createClient({ url: server, token });
}

/** A client of a server that has the clouds of the file that is named, else of the project around here, else those it has. */
export async function connectToClouds(options: GlobalOptions & { clouds?: string }, shell: Shell): Promise<Client> {
  const { file } = await chooseClouds('.', options.clouds, shell.cwd);
  return connect(options, shell, file === null ? {} : { clouds: { file } });
}

async function connectEmbedded(globals: GlobalOptions, shell: Shell, { clouds }: ConnectOptions): Promise<Client> {
  const { path: state, token } = await openState(globals, shell);
  const wanted: EngineWanted = { state, token, command: programCommand() };
  let engine = await ensureEngine({ ...wanted, cloudsFile: clouds?.file });
  if (clouds !== undefined) engine = await withClouds(engine, wanted, clouds.file);
  if (engine.version !== version) {
    say(
      shell,
      `note: the engine that is running is paceline ${engine.version}, this is ${version}; \`paceline engine stop\` makes room for the new one`,
    );
  }
  const revive = async (): Promise<string> => (await ensureEngine(wanted)).url;
  return createClient({ url: engine.url, token, fetch: engineFetch(engine.url, revive) });
}

/** The state directory of the embedded engine and the token that opens it. */
export async function openState(globals: GlobalOptions, shell: Shell): Promise<{ path: string; token: string }> {
  const state = await StateDirectory.open(stateLocation(globals, shell));
  return { path: state.path, token: await state.operatorToken() };
}

/** An engine has the clouds that it was started with. An idle one makes room for one with others; a busy one has to stay. */
async function withClouds(engine: EngineRecord, wanted: EngineWanted, file: string | null): Promise<EngineRecord> {
  // Most commands have nothing to do with clouds, and need not load what reads them.
  const { readClouds } = await import('@paceline/clouds/file');
  const { digest, file: found } = await readClouds(wanted.state, file ?? undefined);
  if (engine.clouds.digest === digest) return engine;
  const client = createClient({ url: engine.url, token: wanted.token });
  const active = await client.runs.list({ active: true, limit: 1 });
  if (active.length > 0) {
    // Who names no clouds takes those that there are.
    if (found === null) return engine;
    throw new PacelineError(
      'PACELINE_CONFLICT',
      `The engine has active runs on other clouds (${engine.clouds.file ?? 'the default ones'}) than those of ${found}`,
      {
        hint: 'End them with `paceline down`, or give this run an engine of its own with --state DIR.',
      },
    );
  }
  process.kill(engine.pid, 'SIGTERM');
  await engineGone(wanted.state, engine.pid);
  return ensureEngine({ ...wanted, cloudsFile: file });
}
