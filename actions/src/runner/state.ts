import { getState, saveState } from '@actions/core';
import type { Settings } from '../run/settings.ts';

/** How a step came out; `cut` when it did not come to its end. */
export type Outcome = 'succeeded' | 'failed' | 'cut';

/** What main tells post. The runner keeps it even when main is killed. No secret may be among it. */
export interface Kept {
  /** The id of the run, chosen before the first request: a run whose beginning nobody heard of is found by it. */
  run: string;
  /** What main was told: the runner works inputs out anew for post, and what they are made of may have changed. */
  settings: Settings;
  /** Whether anybody was asked for the run. */
  asked: boolean;
  /** Whether the server has answered that the run is there. */
  created: boolean;
  /** Whether main has taken the run down itself. */
  done: boolean;
  /** GitHub's number of the deployment whose status is kept up to date. */
  deployment: number | undefined;
  /** How main came out. */
  outcome: Outcome;
}

/** The first thing that is kept. */
export function keepRun(run: string, settings: Settings): void {
  saveState('settings', settings);
  saveState('run', run);
}

export function keepAsked(): void {
  saveState('asked', 'true');
}

export function keepCreated(): void {
  saveState('created', 'true');
}

export function keepDone(): void {
  saveState('done', 'true');
}

export function keepOutcome(outcome: Outcome): void {
  saveState('outcome', outcome);
}

export function keepDeployment(id: number): void {
  saveState('deployment', String(id));
}

/** Undefined in main, or when main did not get so far as to choose an id. */
export function kept(): Kept | undefined {
  const [run, settings, deployment, outcome] = ['run', 'settings', 'deployment', 'outcome'].map((name) => getState(name));
  if (run === undefined || run === '' || settings === undefined || settings === '') return undefined;
  return {
    run,
    settings: JSON.parse(settings) as Settings,
    asked: getState('asked') === 'true',
    created: getState('created') === 'true',
    done: getState('done') === 'true',
    deployment: deployment === undefined || deployment === '' ? undefined : Number(deployment),
    outcome: outcome === 'succeeded' || outcome === 'failed' ? outcome : 'cut',
  };
}

/**
 * Whether this process is the post step. Its own entry says so: what main keeps would not do, for main may be killed before it has
 * kept anything.
 */
export const isPost = process.argv[2] === 'post';
