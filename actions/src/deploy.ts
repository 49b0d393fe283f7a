import { deployMain } from './run/deploy-main.ts';
import { deployPost } from './run/deploy-post.ts';
import { deployInputs } from './run/options.ts';
import { runStep, type Step } from './run/step.ts';
import { isPost, keepOutcome, kept } from './runner/state.ts';

async function main(step: Step): Promise<void> {
  await deployMain(step);
  if (!step.cancelled.aborted) keepOutcome('succeeded');
}

async function post(step: Step): Promise<void> {
  const known = kept();
  if (known !== undefined) await deployPost(step, known);
}

await runStep(deployInputs, isPost ? post : main);
