import { runSummary } from '../report/summary.ts';
import { newRunId } from '../runner/job.ts';
import { keepRun } from '../runner/state.ts';
import { bringUp, type Up } from './bring-up.ts';
import { messenger } from './messages.ts';
import { deployOptions, type DeployOptions } from './options.ts';
import type { Step } from './step.ts';

/** A comment has less room than a summary. */
const commentBytes = 60_000;

export interface Deployed extends Up {
  options: DeployOptions;
  /** GitHub's number of the deployment. */
  deployment: number | undefined;
}

/** Brings a run up and tells whoever wants to know. What is kept for post comes first: the runner may kill this process at any time. */
export async function deployMain(step: Step): Promise<Deployed> {
  const { inputs, job, cancelled } = step;
  const options = deployOptions(inputs);
  const id = newRunId({ ...job, mayStay: options.keepRunning !== 'never' });
  keepRun(id);
  const message = messenger(inputs, options, job);
  const deployment = await message.begin();
  try {
    const up = await bringUp({ ...step, id, options });
    await message.deployment(deployment, 'success', up.run);
    await message.comment(runSummary(up.story, commentBytes));
    return { ...up, options, deployment };
  } catch (error) {
    // There is no time for it when the job is cancelled; post tells how it ended.
    if (!cancelled.aborted) await message.deployment(deployment, 'failure');
    throw error;
  }
}
