import { resolve } from 'node:path';
import { parameterEnvironment, runCommand } from './run/command.ts';
import { deployMain } from './run/deploy-main.ts';
import { deployPost } from './run/deploy-post.ts';
import { runInputs } from './run/options.ts';
import { stepOutputs } from './run/outputs.ts';
import { runStep, type Step } from './run/step.ts';
import { stateOf } from './runner/job.ts';
import { isPost, keepDone, keepOutcome, kept, type Outcome } from './runner/state.ts';

/** Brings up, runs the command, brings down: what is cancelled or killed on the way is left to post. */
async function main(step: Step): Promise<void> {
  const { inputs, job, cancelled } = step;
  const command = inputs.text('command');
  let outcome: Outcome = command === undefined ? 'succeeded' : 'cut';
  const { run, story, session, options, deployment } = await deployMain(step);
  const takeDown = async (): Promise<void> => {
    keepOutcome(outcome);
    const { settings } = options;
    await deployPost(step, { run: run.id, settings, asked: true, created: true, done: false, deployment, outcome });
    keepDone();
  };
  try {
    if (command === undefined) return;
    const reports = resolve(job.workspace, options.settings.reports);
    const outputs = stepOutputs({ run, url: session.client.url, outputs: story.outputs, reports });
    const env = {
      PACELINE_RUN: run.id,
      ...(await parameterEnvironment(outputs['parameters'] ?? '{}', job)),
      PACELINE_SERVICE_URL: run.serviceUrl ?? '',
      ...(session.embedded
        ? { PACELINE_STATE_DIR: stateOf(job, run.id) }
        : { PACELINE_SERVER: session.client.url, PACELINE_TOKEN: await session.token() }),
    };
    outcome = 'failed';
    await runCommand({ command, folder: resolve(job.workspace, inputs.text('working-directory') ?? '.'), env, cancelled });
    outcome = 'succeeded';
  } finally {
    if (!cancelled.aborted) await takeDown();
  }
}

async function post(step: Step): Promise<void> {
  const known = kept();
  if (known !== undefined && !known.done) await deployPost(step, known);
}

await runStep(runInputs, isPost ? post : main);
