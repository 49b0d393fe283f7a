import { parse } from 'yaml';
import { workedOut } from './expression.ts';
import type { JobStatus, Runner, RunningStep, StepOptions, StepResult } from './runner.ts';

/** Somebody else's action: what it puts into the environment of the steps after it, and what its post step puts there. */
export interface OtherAction {
  env?: Record<string, string>;
  postEnv?: Record<string, string>;
}

interface Step {
  id?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

/** A step that has been carried out. */
export interface StepRecord extends StepResult {
  name: string;
  entry: 'main' | 'post';
}

export interface JobRecord {
  steps: StepRecord[];
  conclusion: 'success' | 'failure' | 'cancelled' | 'lost';
}

/** What can befall a job at any moment. */
export interface RunningJob {
  /** The step that runs, and how far its log is. */
  readonly place: string;
  /** Told each time that it gets to another place. */
  moved: (place: string) => void;
  /** As a person cancels it: the step gets its signals, those after it are left out, and the post steps come. */
  cancel(): void;
  /** The step dies at once with all of its processes. A post step does not. */
  kill(): void;
  /** The machine with the runner is gone: nothing of the job runs any more, and no post step comes. */
  lose(): void;
}

export interface JobOptions {
  runner: Runner;
  /** Other people's actions, by name. */
  others?: Readonly<Record<string, OtherAction>>;
  began?: (job: RunningJob) => void;
}

/** Carries out the one job of a workflow as GitHub's runner does: its steps in order, then the post steps, the last one first. */
export async function runWorkflow(text: string, { runner, others = {}, began }: JobOptions): Promise<JobRecord> {
  const { jobs } = parse(text) as { jobs: Record<string, { steps: Step[] }> };
  const [job, ...more] = Object.values(jobs);
  if (job === undefined || more.length > 0) throw new Error('only workflows of one job are carried out');
  const record: JobRecord = { steps: [], conclusion: 'success' };
  const fate = new Fate(runner);
  began?.(fate);
  const outputs: Record<string, { outputs: Record<string, string> }> = {};
  const posts: { action: string; act: () => Promise<StepResult | undefined> }[] = [];
  let env: Record<string, string> = {};
  for (const step of job.steps) {
    if (fate.isOver || record.conclusion !== 'success') break;
    const context = () => ({ steps: outputs, github: { token: runner.githubToken }, runner: { temp: runner.temp }, env });
    const texts = (given: Record<string, unknown> = {}): Record<string, string> =>
      Object.fromEntries(Object.entries(given).map(([name, value]) => [name, workedOut(String(value), context())]));
    const [, action] = /^paceline\/paceline\/actions\/([\w-]+)@v1$/.exec(step.uses ?? '') ?? [];
    const other = others[step.uses?.split('@')[0] ?? ''];
    if (other !== undefined) {
      env = { ...env, ...other.env };
      const { postEnv } = other;
      if (postEnv !== undefined)
        posts.unshift({
          action: step.uses ?? '',
          act: async () => {
            env = { ...env, ...postEnv };
            return undefined;
          },
        });
      continue;
    }
    if (action === undefined && step.run === undefined) throw new Error(`nobody knows what ${step.uses} does`);
    // Inputs and environment are worked out anew for post, and so is how the job has come out.
    const given = () => ({ env: { ...env, ...texts(step.env) }, inputs: texts(step.with), jobStatus: statusOf(record, fate) });
    const main: { state: Record<string, string> } = { state: {} };
    // The post step is there before main begins: whatever becomes of main, it comes.
    if (action !== undefined && runner.hasPost(action))
      posts.unshift({ action, act: () => runner.post(action, main, { ...given(), ...fate.meets(action, 'post') }) });
    const options = { ...given(), ...fate.meets(action ?? 'script', 'main') };
    const result = await (action === undefined
      ? runner.script(workedOut(step.run ?? '', context()), options)
      : runner.main(action, options));
    fate.passes();
    main.state = result.state;
    record.steps.push({ ...result, name: action ?? 'script', entry: 'main' });
    if (step.id !== undefined) outputs[step.id] = { outputs: result.outputs };
    if (result.code !== 0) record.conclusion = 'failure';
  }
  for (const { action, act } of posts) {
    if (fate.isLost) break;
    const result = await act();
    if (result === undefined) continue;
    fate.passes();
    record.steps.push({ ...result, name: action, entry: 'post' });
    if (result.code !== 0) record.conclusion = 'failure';
  }
  if (fate.isOver) record.conclusion = fate.isLost ? 'lost' : 'cancelled';
  await runner.end();
  return record;
}

function statusOf({ conclusion }: JobRecord, { isOver }: Fate): JobStatus {
  return isOver ? 'cancelled' : conclusion === 'failure' ? 'failure' : 'success';
}

/** What befalls a job, and the step that it meets. */
class Fate implements RunningJob {
  isOver = false;
  isLost = false;
  moved = (_place: string): void => {};
  #place = 'before';
  readonly #runner: Runner;
  #step: RunningStep | undefined;
  #mayDie = false;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  get place(): string {
    return this.#place;
  }

  #move(place: string): void {
    if (place === this.#place) return;
    this.#place = place;
    this.moved(place);
  }

  /** For the next step: who tells it what befalls the job. */
  meets(name: string, entry: 'main' | 'post'): Pick<StepOptions, 'started' | 'meanwhile'> {
    return {
      started: (step) => {
        this.#step = step;
        this.#mayDie = entry === 'main';
        this.#move(`${name} ${entry}`);
        if (this.isLost) step.kill();
        else if (this.isOver && this.#mayDie) step.cancel();
      },
      meanwhile: (output) => {
        const [, phase] = /.*^::group::(\w+)/ms.exec(output) ?? [];
        if (phase !== undefined) this.#move(`${name} ${entry}: ${phase}`);
      },
    };
  }

  passes(): void {
    this.#step = undefined;
    this.#move(`after ${this.place.split(':')[0]}`);
  }

  cancel(): void {
    this.isOver = true;
    if (this.#mayDie) this.#step?.cancel();
  }

  kill(): void {
    if (this.#mayDie) this.#step?.kill();
  }

  lose(): void {
    this.isOver = this.isLost = true;
    this.#step?.kill();
    this.#runner.killOrphans();
  }
}
