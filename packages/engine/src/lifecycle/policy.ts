import type { Run } from '../run/run.ts';

/**
 * Whether the machines of a run that got Ready stay, by its keepRunning policy (reference: SlipStream's four values). A scalable run
 * always does, so that what a failed scaling leaves can be mended.
 */
export function keepsRunning(run: Run): boolean {
  if (run.plan.scalable === true) return true;
  if (run.plan.build !== undefined) return isImageMissing(run);
  const policy = run.plan.keepRunning;
  const failed = run.facts.abort !== null;
  return policy === 'always' || policy === (failed ? 'on-error' : 'on-success');
}

/** The run is there to make an image, and still can. */
export function isImageMissing({ plan, facts, instances }: Run): boolean {
  if (plan.build === undefined || facts.abort !== null) return false;
  return [...instances.values()].some(({ machine }) => machine.madeImage === null && machine.cloudState !== 'lost');
}
