import type { ReapReport, RunSummary } from '@paceline/api';
import { repositoryTag, workflowRunOf, type Job } from '../runner/job.ts';

export type Orphan = ReapReport['orphans'][number];

/** What becomes of what is there of a repository's runs. */
export interface Leftovers {
  /** The runs whose workflow is over, so that nobody needs their machines. */
  over: string[];
  /** The runs that are to be left alone, each with the reason. */
  spared: { run: string; reason: string }[];
}

export interface LeftoversOptions {
  /** Whether GitHub says that an attempt of a workflow run is over. */
  isOver: (run: number, attempt: number) => Promise<boolean>;
  /** Also take what `keep-running` has left on purpose. */
  kept: boolean;
}

/** Sorts runs by whether somebody needs them. Only what is known to be nobody's any more is given up. */
export async function leftovers(runs: Iterable<string>, { isOver, kept }: LeftoversOptions): Promise<Leftovers> {
  const found: Leftovers = { over: [], spared: [] };
  for (const run of new Set(runs)) {
    const workflow = workflowRunOf(run);
    const spare = (reason: string): void => void found.spared.push({ run, reason });
    if (workflow === undefined) spare('no action has started it');
    else if (workflow.mayStay && !kept) spare('keep-running may have left it on purpose');
    else if (await isOver(workflow.run, workflow.attempt)) found.over.push(run);
    else spare(`workflow run ${workflow.run} is not over`);
  }
  return found;
}

/** The runs on a server that workflows of a repository have started: GitHub is asked for the numbers of no other. */
export function runsOf(runs: readonly RunSummary[], job: Pick<Job, 'repository'>): string[] {
  return runs.filter(({ id, tags }) => workflowRunOf(id) !== undefined && tags.includes(repositoryTag(job))).map(({ id }) => id);
}
