import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Clock } from '../clock.ts';
import { AgentFailure } from './failure.ts';
import { isAlive, startTimeOf } from './machine.ts';
import { tried } from '../tried.ts';

/**
 * Runs the command in the shell that outlives the agent. The first file is taken by whoever comes first: this shell, or an agent
 * that was started again and gives this attempt up; so a command never runs twice. Signals to the group end the command, not
 * the shell, which must still write the exit code. What the shell itself has to say ("Killed") is not the command's output.
 * It exits with the same code, for the agent that is there and a disk that is full; 73 is that of files that cannot be made.
 */
const wrapper = `set -C
{ echo $$ >"$1"; } 2>/dev/null || exit 73
set +C
trap : HUP INT TERM
umask 022
exec 3>&2 2>/dev/null
result=$2
shift 2
(exec "$@" 2>&3 3>&-)
code=$?
echo $code >"$result"
exit $code`;

export interface ProcessFiles {
  /** Made by the wrapper when it begins, with its process number. */
  begun: string;
  /** Made by the wrapper when the command has ended, with its exit code. */
  result: string;
  stdout: string;
  stderr: string;
}

export interface Command {
  argv: string[];
  env: Record<string, string>;
  cwd: string;
}

/** `code` undefined: the process is gone and left no exit code. */
export interface Exit {
  code?: number | undefined;
  signal?: string | undefined;
}

/** A command in a process group of its own, started by this agent or by one before it. */
export class ScriptProcess {
  readonly pid: number;
  /** From /proc, to know the process again. */
  readonly startTime: string | undefined;
  readonly #files: ProcessFiles;
  readonly #clock: Clock;
  readonly exit: Promise<Exit>;
  #ended = false;

  private constructor(pid: number, files: ProcessFiles, clock: Clock, startTime: string | undefined, child?: ChildProcess) {
    this.pid = pid;
    this.startTime = startTime;
    this.#files = files;
    this.#clock = clock;
    this.exit = (child ? exitOf(child) : this.#gone()).then(({ code, signal }) => {
      this.#ended = true;
      return withSignal(readResult(files.result) ?? code, signal);
    });
  }

  static start({ argv, env, cwd }: Command, files: ProcessFiles, clock: Clock): ScriptProcess {
    const stdout = openSync(files.stdout, 'a', 0o644);
    const stderr = openSync(files.stderr, 'a', 0o644);
    try {
      const child = spawn('/bin/sh', ['-c', wrapper, 'paceline-script', files.begun, files.result, ...argv], {
        cwd,
        env,
        detached: true,
        stdio: ['ignore', stdout, stderr],
      });
      return new ScriptProcess(child.pid ?? 0, files, clock, child.pid ? startTimeOf(child.pid) : undefined, child);
    } finally {
      closeSync(stdout);
      closeSync(stderr);
    }
  }

  /**
   * Find the process that an agent before this one started.
   * @returns undefined if the command has never begun (and now never will)
   */
  static adopt(files: ProcessFiles, clock: Clock, startTime?: string): ScriptProcess | undefined {
    try {
      writeFileSync(files.begun, 'given up\n', { flag: 'wx' });
      return undefined;
    } catch {}
    let text = '';
    // The wrapper has made the file but not yet written to it: a matter of microseconds.
    for (let look = 0; look < 100 && !text.endsWith('\n'); look++) {
      if (look > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
      text = readFileSync(files.begun, 'utf8');
    }
    const pid = Number.parseInt(text, 10);
    return Number.isNaN(pid) ? undefined : new ScriptProcess(pid, files, clock, startTime);
  }

  get alive(): boolean {
    return !this.#ended && this.pid > 0 && isAlive(this.pid, this.#files.result, this.startTime);
  }

  /** To all of its group. */
  signal(signal: NodeJS.Signals): boolean {
    return this.pid > 0 && tried(() => process.kill(-this.pid, signal)) === true;
  }

  /** SIGTERM to the group, and SIGKILL after the grace for what is left of it. Resolves when the group is empty. */
  async stop(graceMs: number): Promise<void> {
    if (!this.signal('SIGTERM')) return;
    for (let waited = 0; waited < graceMs && this.groupAlive; waited += 50) await this.#clock.sleep(50);
    this.signal('SIGKILL');
  }

  /** Whether anything is left of the command, the daemons that it started included. */
  get groupAlive(): boolean {
    return tried(() => process.kill(-this.pid, 0)) === true;
  }

  async #gone(): Promise<Exit> {
    while (readResult(this.#files.result) === undefined && this.alive) await this.#clock.sleep(100);
    return {};
  }
}

/** How the wrapper itself ended. Rejects when it could not be started. */
function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.on('exit', (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
    child.on('error', (error) => reject(new AgentFailure('start it', error)));
  });
}

/** The exit code, once the whole line is there. */
export function readResult(file: string): number | undefined {
  const text = tried(() => readFileSync(file, 'utf8')) ?? '';
  return /^\d+\n$/.test(text) ? Number(text) : undefined;
}

/** A shell tells of a signal by a number above 128. */
function withSignal(code: number | undefined, signal: string | undefined): Exit {
  if (code === undefined) return { code, signal };
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return { code, signal: name };
}
