import type { RunDetail } from '@paceline/api';

type Taken = Pick<RunDetail, 'id' | 'state' | 'endedAt' | 'instances'>;

/** The machines of a run that has not come to its end, but for those that are known to be gone. */
export function remains({ endedAt, instances }: Pick<Taken, 'endedAt' | 'instances'>): string[] {
  if (endedAt !== null) return [];
  return instances
    .filter(({ stage }) => stage !== 'gone' && stage !== 'wanted')
    .map(({ name, cloud, machineId }) => `machine ${machineId ?? 'that is being launched'} of ${name} on ${cloud}`);
}

/**
 * Why a step that takes a run down has failed, and what is to be done about it; undefined when nothing is left.
 * @param run undefined when there was none
 * @param left what the clouds show that no run needs; undefined when they could not be asked
 * @param embedded whether the engine ends with the job
 */
export function takeDownFailure(run: Taken | undefined, left: readonly string[] | undefined, embedded: boolean): string | undefined {
  const reap = 'a scheduled `actions/reap` removes it, and every machine ends by itself at its lifetime';
  if (run !== undefined && run.endedAt === null) {
    const still = `The run ${run.id} has not ended: it is still ${run.state}, and ${remains(run).length} of its machines are not known to be gone.`;
    return embedded
      ? `${still} Its engine ends with the job: ${reap}.`
      : `${still} The server goes on: \`paceline status ${run.id}\` tells how far it is.`;
  }
  if (left === undefined) return `Whether anything is left could not be found out. If so, ${reap}.`;
  return left.length === 0 ? undefined : `${left.length} left over: ${reap}.`;
}
