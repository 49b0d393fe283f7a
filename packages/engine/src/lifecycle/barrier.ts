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
 * Within one state an instance only ever goes from waited-for to done, so the search goes on where it last stopped:
 * a state of N instances costs O(N) in all, not for each completion.
 */
export function firstWaitedFor(run: Run): Instance | undefined {
  let progress = progresses.get(run);
  if (progress === undefined || progress.seq !== run.facts.seq) {
    const rest = run.instances.values();
    progress = { seq: run.facts.seq, rest, current: rest.next().value };
    progresses.set(run, progress);
  }
  while (progress.current !== undefined && !isWaitedFor(run, progress.current)) {
    progress.current = progress.rest.next().value;
  }
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
      return run.facts.abort === null && (!hasJoined(instance) || instance.machine.address === null || isBeingResized(run, instance));
    case 'Executing':
    case 'SendingReports':
      return hasWork(run, instance) && instance.completed < run.facts.seq;
    default:
      return false;
  }
}

function isBeingResized(run: Run, instance: Instance): boolean {
  return (hasWork(run, instance) && instance.completed < run.facts.seq) || instance.machine.wantedSize !== null;
}
