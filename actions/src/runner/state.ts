import { getState, saveState } from '@actions/core';

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

export function keepDeployment(id: number): void {
  saveState('deployment', String(id));
}

/** Undefined in main, or when main did not get so far as to choose an id. */
export function kept(): Kept | undefined {
  const [run, created, deployment] = [getState('run'), getState('created'), getState('deployment')];
  if (run === '') return undefined;
  return {
    run,
    created: created === 'true',
    done: getState('done') === 'true',
    deployment: deployment === '' ? undefined : Number(deployment),
  };
}

/**
 * Whether this process is the post step. Its own entry says so: what main keeps would not do, for main may be killed before it has
 * kept anything.
 */
export const isPost = process.argv[2] === 'post';
