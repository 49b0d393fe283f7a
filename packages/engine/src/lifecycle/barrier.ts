import type { Instance } from '../run/instance.ts';
import { hasJoined } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { hasWork } from './steps.ts';

interface Progress {
  seq: number;
  rest: MapIterator<Instance>;
  current: Instance | undefined;
}

const progresses = new WeakMap<Run, Progress>();

/**
 * The first instance that the present state still waits for; undefined when its barrier is open.
 * Within one state an instance goes from waited-for to done, so the search goes on where it last stopped: a state of N instances costs
 * O(N) in all, not for each completion. Only one whose machine was lost may be waited for again, when that is back: so that the barrier
 * is open when a search through all of them says so.
 */
export function firstWaitedFor(run: Run): Instance | undefined {
  if (run.facts.state === 'Ready') return undefined;
  const begun = progresses.get(run);
  const progress = begun?.seq === run.facts.seq ? begun : begin(run);
  return goOn(run, progress) ?? (progress === begun ? goOn(run, begin(run)) : undefined);
}

function begin(run: Run): Progress {
  const rest = run.instances.values();
  const progress = { seq: run.facts.seq, rest, current: rest.next().value };
  progresses.set(run, progress);
  return progress;
}

/** Goes on to the next instance that is waited for. */
function goOn(run: Run, progress: Progress): Instance | undefined {
  while (progress.current !== undefined && !isWaitedFor(run, progress.current)) progress.current = progress.rest.next().value;
  return progress.current;
}

/** All instances that the present state waits for. */
export function waitedFor(run: Run): Instance[] {
  return [...run.instances.values()].filter((instance) => isWaitedFor(run, instance));
}

function isWaitedFor(run: Run, instance: Instance): boolean {
  if (run.facts.state === 'Finalizing') return instance.machine.status !== 'gone';
  // Machines that are scaled away are gone before the others hear of it.
  if (instance.removing && run.facts.state === 'Provisioning') return instance.machine.status !== 'gone';
  if (instance.dropped || instance.machine.cloudState === 'lost') return false;
  switch (run.facts.state) {
    case 'Provisioning':
      return run.facts.abort === null && (!hasJoined(instance) || instance.machine.address === null || isBeingAltered(run, instance));
    case 'Executing':
    case 'SendingReports':
      return hasWork(run, instance) && instance.completed < run.facts.seq;
    default:
      return false;
  }
}

function isBeingAltered(run: Run, instance: Instance): boolean {
  return (hasWork(run, instance) && instance.completed < run.facts.seq) || instance.machine.wanted !== null;
}
