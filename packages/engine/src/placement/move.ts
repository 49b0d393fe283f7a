import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { machineChange, mayLaunch, mustGo } from '../launch/ledger.ts';
import { nextCloud } from './candidates.ts';

/** What the cloud says of a machine that has come to its end for want of room, until it is gone and another one may be launched elsewhere. */
const moving = 'moving';

/**
 * A cloud has no room for an instance: its next one is asked, after the end of what was made already.
 * @param why in the cloud's words
 * @returns undefined when there is nowhere to go
 */
export function moveAway(run: Run, instance: Instance, why: string, now: number): Change[] | undefined {
  const next = nextCloud(run, instance, now);
  const { cloud, id } = instance.machine;
  if (next === undefined || !mayLaunch(run) || mustGo(run, instance)) return undefined;
  const message = `${instance.name}: ${cloud} has no room for it, ${next} is tried: ${why}`;
  return [
    id === null
      ? launchOn(instance, next)
      : machineChange(instance, { status: 'terminating', cloudState: moving, attempts: 0, retryAt: 0 }),
    { kind: 'event', at: now, body: { type: 'instance.notice', severity: 'warning', message, data: { instance: instance.name } } },
  ];
}

export function isMoving({ machine }: Instance): boolean {
  return machine.status === 'terminating' && machine.cloudState === moving;
}

/** What was made on a cloud without room is gone. @returns undefined for machines that do not move */
export function moved(run: Run, instance: Instance, now: number): Change[] | undefined {
  const next = isMoving(instance) ? nextCloud(run, instance, now) : undefined;
  return next === undefined || !mayLaunch(run) || mustGo(run, instance) ? undefined : [launchOn(instance, next)];
}

/** As if nothing had been done for it yet. */
function launchOn(instance: Instance, cloud: string): Change {
  const fresh = {
    id: null,
    address: null,
    login: null,
    launchedAt: null,
    endedAt: null,
    cloudState: '',
    attempts: 0,
    retryAt: 0,
    fault: null,
  };
  return machineChange(instance, { ...fresh, status: 'wanted', token: '', cloud });
}
