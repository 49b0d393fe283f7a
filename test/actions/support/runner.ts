import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processesWith } from '../../support/processes.ts';
import { until } from '../../support/until.ts';
import { actionsFolder, readAction } from './action-file.ts';
import { workedOut } from './expression.ts';
import { readLog, type RunnerLog } from './runner-log.ts';

export interface StepResult {
  code: number | null;
  /** All that was printed. */
  output: string;
  log: RunnerLog;
  outputs: Record<string, string>;
  state: Record<string, string>;
  summary: string;
}

export interface StepOptions {
  inputs?: Record<string, string>;
  env?: Record<string, string>;
  /** Sees all output so far, each time there is more. */
  meanwhile?: (output: string, step: RunningStep) => void;
  /** Told when the process is there. */
  started?: (step: RunningStep) => void;
  /** Where the actions are. @default those of this repository */
  folder?: string;
  /** How the job has come out so far. @default success */
  jobStatus?: JobStatus;
  /** Which job of a matrix it is. @default the first */
  jobIndex?: number;
}

/** As GitHub calls it. */
export type JobStatus = 'success' | 'failure' | 'cancelled';

/** A step that runs. */
export interface RunningStep {
  readonly pid: number;
  /** As the runner cancels: SIGINT, 7.5 s, SIGTERM, 2.5 s, and all that descends from it is killed. */
  cancel(): void;
  /** The whole tree dies at once. */
  kill(): void;
}

/** GitHub's runner for the steps of one job: what it gives to an action, reads of it, and does to it. */
export class Runner {
  readonly temp: string;
  readonly workspace: string;
  readonly #home: string;
  readonly #env: Record<string, string>;

  private constructor(home: string, env: Record<string, string>) {
    this.#home = home;
    this.#env = env;
    this.temp = join(home, 'temp');
    this.workspace = join(home, 'work');
  }

  /** @param env more of the job's environment */
  static async hire(env: Record<string, string> = {}): Promise<Runner> {
    const runner = new Runner(await mkdtemp(join(tmpdir(), 'paceline-runner-')), env);
    await mkdir(runner.temp);
    await mkdir(runner.workspace);
    return runner;
  }

  /** Main, and whatever becomes of it, post, as a job that ends then. */
  async job(
    action: string,
    options: StepOptions & {
      between?: (main: StepResult) => Promise<void>;
      postEnv?: Record<string, string>;
      /** What the inputs are worked out to at the end of the job. @default the same as at its beginning */
      postInputs?: Record<string, string>;
      /** How the job comes out. @default as main does */
      conclusion?: JobStatus;
    } = {},
  ) {
    const main = await this.main(action, options);
    await options.between?.(main);
    const { inputs = {}, env = {}, folder = actionsFolder, postEnv = {}, postInputs = inputs, jobIndex = 0 } = options;
    const jobStatus = options.conclusion ?? (main.code === 0 ? 'success' : 'failure');
    const post = await this.post(action, main, { inputs: postInputs, folder, jobStatus, jobIndex, env: { ...env, ...postEnv } });
    return { main, post };
  }

  /** What an expression of a workflow gets for `github.token`. */
  get githubToken(): string {
    return this.#env['FAKE_GITHUB_TOKEN'] ?? '';
  }

  hasPost(action: string): boolean {
    return readAction(action).runs.post !== undefined;
  }

  main(action: string, options: StepOptions = {}): Promise<StepResult> {
    return this.#step(action, 'main', options, {});
  }

  /** Is given what main has kept, even if main was killed. */
  post(action: string, { state }: Pick<StepResult, 'state'>, options: StepOptions = {}): Promise<StepResult> {
    return this.#step(action, 'post', options, state);
  }

  async #step(action: string, entry: 'main' | 'post', options: StepOptions, kept: Record<string, string>): Promise<StepResult> {
    const folder = options.folder ?? actionsFolder;
    const { inputs, runs } = readAction(action, folder);
    const script = runs[entry];
    if (runs.using !== 'node24' || script === undefined) throw new Error(`${action} has no ${entry} for node24`);
    const { jobStatus = 'success', jobIndex = 0 } = options;
    const context = { github: { token: this.githubToken }, job: { status: jobStatus }, strategy: { 'job-index': jobIndex } };
    const given = { ...defaultsOf(inputs, context), ...options.inputs };
    const env = { ...prefixed('INPUT_', given), ...prefixed('STATE_', kept, false), ...options.env };
    const result = await this.#execute([process.execPath, join(folder, action, script)], { ...options, env });
    return { ...result, state: { ...kept, ...result.state } };
  }

  /** A step that is a script. */
  async script(text: string, options: StepOptions = {}): Promise<StepResult> {
    const file = join(await mkdtemp(join(this.#home, 'script-')), 'script.sh');
    await writeFile(file, text);
    return this.#execute(['bash', '-e', file], options);
  }

  async #execute([program = '', ...args]: readonly string[], { env, started, meanwhile }: StepOptions): Promise<StepResult> {
    const commands = await mkdtemp(join(this.#home, 'commands-'));
    const files = Object.fromEntries(
      ['OUTPUT', 'STATE', 'ENV', 'PATH', 'STEP_SUMMARY'].map((name) => [`GITHUB_${name}`, join(commands, name)]),
    );
    await Promise.all(Object.values(files).map((file) => writeFile(file, '')));
    const child = spawn(program, args, {
      cwd: this.workspace,
      env: { ...this.#jobEnv(), ...files, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = supervise(child);
    started?.(running.step);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        meanwhile?.(output, running.step);
      });
    }
    // Engines hold no pipe of the step: it closes with the step, and all that was printed has come by then.
    const code = await new Promise<number | null>((resolve) => child.on('close', (status) => resolve(status)));
    running.done();
    const read = async (name: string): Promise<string> => readFile(files[`GITHUB_${name}`] ?? '', 'utf8');
    return {
      code,
      output,
      log: readLog(output),
      outputs: fileCommands(await read('OUTPUT')),
      state: fileCommands(await read('STATE')),
      summary: await read('STEP_SUMMARY'),
    };
  }

  #jobEnv(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#home,
      LANG: 'C.UTF-8',
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_REPOSITORY: 'octo/app',
      GITHUB_REPOSITORY_ID: '456789',
      GITHUB_RUN_ID: '16000000001',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_SHA: 'a'.repeat(40),
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_WORKSPACE: this.workspace,
      RUNNER_TEMP: this.temp,
      RUNNER_TRACKING_ID: this.#home,
      ...this.#env,
    };
  }

  /** The end of the job, or of the whole runner: every process that it has started is killed. What machines run they have marked as theirs. */
  killOrphans(): void {
    for (const { pid } of processesWith(`RUNNER_TRACKING_ID=${this.#home}`)) kill(pid);
  }

  /** Waits until nothing of the job runs: what was begun while the others were killed is killed, too. */
  async end(): Promise<void> {
    await until(() => {
      this.killOrphans();
      if (processesWith(`RUNNER_TRACKING_ID=${this.#home}`).length > 0) throw new Error('something still runs');
    }, 10_000);
  }

  /** Ends the job and forgets it. */
  async leave(): Promise<void> {
    await this.end();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** GitHub works them out anew for main and for post. */
function defaultsOf(inputs: ReturnType<typeof readAction>['inputs'], context: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).map(([name, { default: value = '' }]) => [name, workedOut(value, context)]));
}

function prefixed(prefix: string, values: Record<string, string>, upper = true): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [prefix + (upper ? name.replaceAll(' ', '_').toUpperCase() : name), value]),
  );
}

function supervise(child: ChildProcess): { step: RunningStep; done(): void } {
  const timers: NodeJS.Timeout[] = [];
  const pid = child.pid ?? 0;
  const killTree = (): void => descendants(pid).forEach(kill);
  const step: RunningStep = {
    pid,
    cancel() {
      if (timers.length > 0) return;
      child.kill('SIGINT');
      timers.push(
        setTimeout(() => child.kill('SIGTERM'), 7500),
        setTimeout(killTree, 10_000),
      );
    },
    kill: killTree,
  };
  return { step, done: () => timers.forEach((timer) => clearTimeout(timer)) };
}

/** A process and all that descends from it and has not lost its parent. */
function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(name);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

function parentOf(pid: string): number | undefined {
  try {
    const [, parent] = /\) \S (\d+)[^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return parent === undefined ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** `NAME<<DELIMITER`, lines, `DELIMITER`; or `NAME=VALUE`. */
export function fileCommands(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = text.split('\n');
  while (lines.length > 0) {
    const line = lines.shift() ?? '';
    const [, name = '', delimiter] = /^([^<=]+)<<(.+)$/.exec(line) ?? [];
    if (delimiter === undefined) {
      const equals = line.indexOf('=');
      if (equals > 0) found[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    const end = lines.indexOf(delimiter);
    if (end === -1) throw new Error(`the file of commands has no ${delimiter}`);
    found[name] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join('\n');
  }
  return found;
}
