import { info, warning } from '@actions/core';
import { fail } from '../runner/failure.ts';
import { cancellation } from '../runner/cancellation.ts';
import { Inputs } from '../runner/inputs.ts';
import { jobOf, type Job } from '../runner/job.ts';
import { mask } from '../runner/masks.ts';
import { StepOutput } from '../runner/output.ts';

/** A step that was cancelled and has said its last words ends in this time; the runner would kill it a little later. */
const lastMs = 5000;

export interface Step {
  inputs: Inputs;
  job: Job;
  /** The runner wants the step to end. */
  cancelled: AbortSignal;
  output: StepOutput;
}

/** Runs a step: masks its secrets first, fails with words for people, and never outlives its work. */
export async function runStep(known: readonly string[], act: (step: Step) => Promise<void>): Promise<void> {
  const output = new StepOutput(process.stdout);
  const inputs = new Inputs(process.env);
  for (const name of ['token', 'server-token']) mask(inputs.text(name));
  for (const problem of inputs.unknown(known)) warning(problem);
  const cancelled = cancellation();
  cancelled.addEventListener('abort', () => {
    info('The job is cancelled; what runs is taken down');
    setTimeout(() => process.exit(1), lastMs).unref();
  });
  try {
    await act({ inputs, job: jobOf(process.env), cancelled, output });
  } catch (error) {
    fail(error);
  }
  // Connections that are kept alive are no reason to stay.
  process.exit(process.exitCode ?? 0);
}
