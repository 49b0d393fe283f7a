import { spawn } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PacelineError } from '@paceline/model';
import type { Job } from '../runner/job.ts';

export interface CommandOptions {
  command: string;
  folder: string;
  /** Beyond the environment of the step. */
  env: Record<string, string>;
  cancelled: AbortSignal;
}

const graceMs = 1500;
/** Linux starts no program with a longer variable, its name and what ends it included. */
const longestVariable = 128 * 1024;

/** How a command finds the parameters, as JSON: in a file, and where they have room in a variable, too. */
export async function parameterEnvironment(json: string, { temp }: Pick<Job, 'temp'>): Promise<Record<string, string>> {
  const file = join(await mkdtemp(join(temp, 'paceline-')), 'parameters.json');
  await writeFile(file, json, { mode: 0o600 });
  const fits = Buffer.byteLength(`PACELINE_PARAMETERS=${json}`) < longestVariable;
  return { PACELINE_PARAMETERS_FILE: file, ...(fits ? { PACELINE_PARAMETERS: json } : {}) };
}

/** What the runner gives to an action and not to a script: its inputs with their secrets, its state, the keys to caches and artifacts. */
const ofTheAction = /^(INPUT_.*|STATE_.*|GITHUB_STATE|ACTIONS_(RUNTIME|RESULTS|CACHE)_.*)$/;

/**
 * Runs a command of the workflow as `run:` does: `bash -e -o pipefail`. It may use workflow commands; it is the workflow's own.
 * @throws PACELINE_RUN_ABORTED when it fails
 */
export async function runCommand({ command, folder, env, cancelled }: CommandOptions): Promise<void> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofTheAction.test(name)));
  const child = spawn('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', command], {
    cwd: folder,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
  const signalAll = (signal: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has ended by itself.
    }
  };
  const stop = (): void => {
    signalAll('SIGTERM');
    setTimeout(() => signalAll('SIGKILL'), graceMs).unref();
  };
  cancelled.addEventListener('abort', stop);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...exit) => resolve(exit));
  });
  cancelled.removeEventListener('abort', stop);
  if (code !== 0) throw new PacelineError('PACELINE_RUN_ABORTED', `The command has failed: ${signal ?? `exit code ${code}`}`);
}
