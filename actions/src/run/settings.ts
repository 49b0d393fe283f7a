import type { KeepRunning } from '@paceline/model';
import type { RunDetail } from '@paceline/api';
import type { Inputs } from '../runner/inputs.ts';
import type { Outcome } from '../runner/state.ts';

/** What post has to know of what main was told. No secret is among it. */
export interface Settings {
  /** Address of the server; undefined for an engine in the job. */
  server?: string | undefined;
  keepRunning: KeepRunning;
  /** The folder for reports. */
  reports: string;
  /** The most that reports may take together, in bytes. */
  reportsLimit: number;
  /** Name of the artifact; undefined when there shall be none. */
  artifact?: string | undefined;
  /** How many days GitHub keeps it; undefined leaves that to GitHub. */
  retentionDays?: number | undefined;
  comment: boolean;
  /** What the comment is about. */
  topic: string;
}

/** How a job has come out so far, in GitHub's words: it works that out for each step, the post step among them. */
export type JobStatus = 'success' | 'failure' | 'cancelled';

/** Unknown where nobody says it. */
export function jobStatusOf(inputs: Inputs): JobStatus | undefined {
  const text = inputs.text('job-status');
  return text === 'failure' || text === 'cancelled' || text === 'success' ? text : undefined;
}

/** How all came out for which the machines were there: the run, the step that brought it up, and the steps after it. */
export function outcomeOf(run: Pick<RunDetail, 'abort' | 'state'>, main: Outcome, job: JobStatus | undefined): Outcome {
  if (run.abort !== null || run.state !== 'Ready') return 'failed';
  if (main !== 'succeeded') return main;
  return job === 'failure' ? 'failed' : job === 'cancelled' ? 'cut' : 'succeeded';
}

/** Whether the machines outlive the job. Of what was cut short nobody knows whether it would have succeeded. */
export function isKept(keepRunning: KeepRunning, outcome: Outcome): boolean {
  if (outcome === 'cut') return keepRunning === 'always';
  return keepRunning === 'always' || keepRunning === (outcome === 'failed' ? 'on-error' : 'on-success');
}

const hurriedMs = 4 * 60_000;
const unhurriedMs = 20 * 60_000;

/**
 * How long a run may take to end, in milliseconds. The runner gives a cancelled job five minutes for all that is left to do; otherwise
 * there is time, but a runner that waits costs, too.
 */
export function takeDownMs(main: Outcome, job: JobStatus | undefined): number {
  return main === 'cut' || job === 'cancelled' ? hurriedMs : unhurriedMs;
}
