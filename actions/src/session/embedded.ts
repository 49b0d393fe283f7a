import { fileURLToPath } from 'node:url';
import { createClient } from '@paceline/api';
import { isPacelineError } from '@paceline/model';
import { engineFetch, engineGone, ensureEngine, isAlive, readEngineFile, type EngineWanted } from '@paceline/door';
import { StateDirectory } from '@paceline/server';
import type { Session } from './session.ts';

export interface EmbeddedOptions {
  state: string;
  cloudsFile?: string | null | undefined;
  ownerTag: string;
}

/** The `paceline` command that comes with the actions: it is the engine. */
const program = fileURLToPath(new URL('../../engine/dist/paceline.mjs', import.meta.url));

/** An engine in the background, which lives on from main to post. When it has died, the next request starts it on its store again. */
export async function openEmbedded({ state: path, cloudsFile, ownerTag }: EmbeddedOptions): Promise<Session> {
  const state = await StateDirectory.open(path);
  const token = await state.operatorToken();
  const wanted: EngineWanted = {
    state: state.path,
    token,
    ownerTag,
    command: [process.execPath, program],
    env: engineEnvironment(process.env),
  };
  const { url } = await ensureEngine({ ...wanted, cloudsFile });
  const revive = async (): Promise<string> => (await ensureEngine(wanted)).url;
  return {
    embedded: true,
    token: async () => token,
    client: createClient({ url, token, fetch: engineFetch(url, revive) }),
    // Whoever asks it next has it started again.
    renew: async () => {
      await stopEngine(state.path);
      return true;
    },
    close: () => stopEngine(state.path),
  };
}

/** Ends the engine of a state directory, if one runs. What was asked of it and not begun is not carried out any more. */
export async function stopEngine(state: string): Promise<void> {
  const engine = await readEngineFile(state);
  if (engine === undefined || !signal(engine.pid, 'SIGTERM')) return;
  await engineGone(state, engine.pid).catch((error: unknown) => {
    if (!isPacelineError(error) || error.code !== 'PACELINE_TIMEOUT') throw error;
    // It would keep its store from the next one, which finds there whatever this one has done.
    signal(engine.pid, 'SIGKILL');
  });
}

/** @returns whether the process was there */
function signal(pid: number, name: NodeJS.Signals): boolean {
  if (!isAlive(pid)) return false;
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    // It may end between the look and the signal.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** The engine needs the credentials of clouds, and none of what the runner gives to this one step. */
export function engineEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = /^(INPUT_|STATE_|ACTIONS_|GITHUB_(TOKEN|OUTPUT|STATE|ENV|PATH|STEP_SUMMARY)$)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)));
}
