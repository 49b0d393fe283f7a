import { spawn } from 'node:child_process';
import { PacelineError } from '@paceline/model';

export interface CommandOptions {
  command: string;
  folder: string;
  /** Beyond the environment of the step. */
  env: Record<string, string>;
  cancelled: AbortSignal;
}

const graceMs = 1500;

/**
 * Runs a command of the workflow as `run:` does: `bash -e -o pipefail`. It may use workflow commands; it is the workflow's own.
 * @throws PACELINE_RUN_ABORTED when it fails
 */
export async function runCommand({ command, folder, env, cancelled }: CommandOptions): Promise<void> {
  const { INPUT_TOKEN: _token, 'INPUT_SERVER-TOKEN': _serverToken, ...inherited } = process.env;
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
