import { warning } from '@actions/core';
import { runSummary } from '../report/summary.ts';
import { newRunId } from '../runner/job.ts';
import { keepOutcome, keepRun } from '../runner/state.ts';
import { bringUp, type Up } from './bring-up.ts';
import { messenger } from './messages.ts';
import { deployOptions, type DeployOptions } from './options.ts';
import type { Step } from './step.ts';

/** A comment has less room than a summary. */
const commentBytes = 56_000;

export interface Deployed extends Up {
  options: DeployOptions;
  /** GitHub's number of the deployment. */
  deployment: number | undefined;
}

/** Brings a run up and tells whoever wants to know. What is kept for post comes first: the runner may kill this process at any time. */
export async function deployMain(step: Step): Promise<Deployed> {
  const { inputs, job, cancelled } = step;
  const options = deployOptions(inputs);
  const { settings } = options;
  const id = newRunId({ ...job, mayStay: settings.keepRunning !== 'never' });
  keepRun(id, settings);
  if (settings.server !== undefined && options.cloudsFile !== undefined)
    warning('The input `clouds` is for an engine in the job: a server has clouds of its own.');
  const message = messenger({ token: inputs.text('token'), settings, job });
  const deployment = await message.begin(options.environment);
  try {
    const up = await bringUp({
      ...step,
      id,
      options,
      told: (story) => message.comment(id, { body: runSummary(story, commentBytes) }),
    });
    await message.deployment(deployment, 'success', up.run);
    return { ...up, options, deployment };
  } catch (error) {
    // There is no time for it when the job is cancelled; post tells how it ended.
    if (!cancelled.aborted) {
      keepOutcome('failed');
      await message.deployment(deployment, 'failure');
    }
    throw error;
  }
}
