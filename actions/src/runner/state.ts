import { getState, saveState } from '@actions/core';

/** How the command of a `run` step came out; `cut` when it did not come to its end. */
export type CommandOutcome = 'succeeded' | 'failed' | 'cut';

/** What main tells post. The runner keeps it even when main is killed. No secret may be among it. */
export interface Kept {
  /** The id of the run, chosen before the first request: a run whose beginning nobody heard of is found by it. */
  run: string;
  /** Whether the server has answered that the run is there. */
  created: boolean;
  /** Whether main has taken the run down itself. */
  done: boolean;
  /** GitHub's number of the deployment whose status is kept up to date. */
  deployment: number | undefined;
  /** `succeeded` where there is none. */
  command: CommandOutcome;
}

export function keepRun(run: string): void {
  saveState('run', run);
}

export function keepCreated(): void {
  saveState('created', 'true');
}

export function keepDone(): void {
  saveState('done', 'true');
}

export function keepCommand(outcome: CommandOutcome): void {
  saveState('command', outcome);
}

export function keepDeployment(id: number): void {
  saveState('deployment', String(id));
}

/** Undefined in main, or when main did not get so far as to choose an id. */
export function kept(): Kept | undefined {
  const [run, created, deployment, command] = ['run', 'created', 'deployment', 'command'].map((name) => getState(name));
  if (run === undefined || run === '') return undefined;
  return {
    run,
    created: created === 'true',
    done: getState('done') === 'true',
    deployment: deployment === undefined || deployment === '' ? undefined : Number(deployment),
    command: command === 'cut' || command === 'failed' ? command : 'succeeded',
  };
}

/**
 * Whether this process is the post step. Its own entry says so: what main keeps would not do, for main may be killed before it has
 * kept anything.
 */
export const isPost = process.argv[2] === 'post';
