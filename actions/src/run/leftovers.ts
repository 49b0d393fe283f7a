import type { ReapReport } from '@paceline/api';
import { workflowRunOf } from '../runner/job.ts';

export type Orphan = ReapReport['orphans'][number];

/** What becomes of what a cloud shows of a repository's runs. */
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

/** Sorts what is there by whose it is. Only what is known to be nobody's any more is given up. */
export async function leftovers(orphans: readonly Orphan[], { isOver, kept }: LeftoversOptions): Promise<Leftovers> {
  const found: Leftovers = { over: [], spared: [] };
  for (const run of new Set(orphans.map((orphan) => orphan.run))) {
    const workflow = workflowRunOf(run);
    const spare = (reason: string): void => void found.spared.push({ run, reason });
    if (workflow === undefined) spare('no action has started it');
    else if (workflow.mayStay && !kept) spare('keep-running may have left it on purpose');
    else if (await isOver(workflow.run, workflow.attempt)) found.over.push(run);
    else spare(`workflow run ${workflow.run} is not over`);
  }
  return found;
}
