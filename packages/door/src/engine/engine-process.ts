import { spawn } from 'node:child_process';
import { engineLogPath, logTail, openEngineLog } from './engine-log.ts';

/** What the embedded engine leaves with when another one serves the state directory already. */
export const lostTheRace = 75;

/** An embedded engine that this process has started. It does not belong to it: it lives on in a session of its own. */
export interface EngineProcess {
  /** Undefined while it runs. */
  exitCode(): number | null | undefined;
  /** What it wrote into its log. */
  said(): Promise<string>;
}

export interface EngineArguments {
  state: string;
  /** The command of this program, see `programCommand`. */
  command: readonly string[];
  /** File of clouds, or null for the state directory's own; undefined leaves it to what was used last. */
  cloudsFile?: string | null | undefined;
  /** Engines with the same tag know each other's machines on the clouds. @default only this engine does */
  ownerTag?: string;
  /** What the engine sees of the environment. @default all that this process sees */
  env?: NodeJS.ProcessEnv;
}

/** Starts an engine in the background. Ctrl-C in the terminal does not reach it. */
export async function startEngine({ state, command, cloudsFile, ownerTag, env }: EngineArguments): Promise<EngineProcess> {
  const [program = process.execPath, ...rest] = command;
  const clouds = cloudsFile === undefined ? [] : ['--clouds', cloudsFile ?? ''];
  const tag = ownerTag === undefined ? [] : ['--owner-tag', ownerTag];
  await using log = await openEngineLog(state);
  const { size } = await log.stat();
  const child = spawn(program, [...rest, '--state', state, 'server', '--embedded', ...clouds, ...tag], {
    cwd: state,
    detached: true,
    ...(env === undefined ? {} : { env }),
    stdio: ['ignore', log.fd, log.fd],
  });
  let exit: number | null | undefined;
  let failure: Error | undefined;
  child.on('exit', (code) => (exit = code));
  child.on('error', (error) => {
    failure = error;
    exit = null;
  });
  child.unref();
  return {
    exitCode: () => exit,
    said: async () => failure?.message ?? ((await logTail(state, size)) || `nothing (see ${engineLogPath(state)})`),
  };
}
