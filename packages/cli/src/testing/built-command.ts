import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { type EngineRecord, isAlive, readEngineFile } from '@paceline/door';

const run = promisify(execFile);
const builder = fileURLToPath(new URL('../../build.mjs', import.meta.url));

/** Builds the command into a folder of its own. @returns its path, and what removes it again */
export async function buildCommand(): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-build-'));
  await run(process.execPath, [builder, folder]);
  return { path: join(folder, 'paceline.mjs'), remove: () => rm(folder, { recursive: true }) };
}

export interface Finished {
  code: number | null;
  out: string;
  err: string;
}

/** A state directory of one test, and the command working on it. Its engine does not outlive the test. */
export class CommandBench {
  readonly state: string;
  readonly #path: string;

  private constructor(path: string, state: string) {
    this.#path = path;
    this.state = state;
  }

  static async open(path: string): Promise<CommandBench> {
    const state = await mkdtemp(join(tmpdir(), 'paceline-state-'));
    const bench = new CommandBench(path, state);
    onTestFinished(async () => {
      await bench.kill('SIGKILL');
      await rm(state, { recursive: true, force: true, maxRetries: 5 });
    });
    return bench;
  }

  /** Starts the command; `NO_COLOR` and pipes, as in a script. */
  start(args: string[], env: Record<string, string> = {}): ChildProcess {
    const { PACELINE_SERVER: _server, PACELINE_TOKEN: _token, ...inherited } = process.env;
    return spawn(process.execPath, [this.#path, ...args], { env: { ...inherited, PACELINE_STATE_DIR: this.state, ...env } });
  }

  async run(args: string[], env: Record<string, string> = {}): Promise<Finished> {
    const child = this.start(args, env);
    const texts = { out: '', err: '' };
    child.stdout?.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, ...texts };
  }

  engine(): Promise<EngineRecord | undefined> {
    return readEngineFile(this.state);
  }

  log(): Promise<string> {
    return readFile(join(this.state, 'engine.log'), 'utf8').catch(() => '');
  }

  /** Sends a signal to the engine and waits until it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const pid = (await this.engine())?.pid;
    if (pid === undefined || !isAlive(pid)) return;
    process.kill(pid, signal);
    await waitUntil(() => !isAlive(pid));
  }
}

/** Waits for a condition; the test's own time limit ends it. */
export async function waitUntil(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
