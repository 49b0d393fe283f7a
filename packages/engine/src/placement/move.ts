import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { machineChange, mayLaunch, mustGo } from '../launch/ledger.ts';
import { dropOrAbort } from '../lifecycle/provisioning.ts';
import { nextCloud, whyNowhere } from './candidates.ts';
import { isMoving, movingTo } from './moving.ts';

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
      : machineChange(instance, { status: 'terminating', cloudState: movingTo(next), attempts: 0, retryAt: 0 }),
    { kind: 'event', at: now, body: { type: 'instance.notice', severity: 'warning', message, data: { instance: instance.name } } },
  ];
}

/**
 * What was made on a cloud without room is gone. Its next cloud may be too dear by now: then it cannot come up.
 * @returns undefined for machines that do not move
 */
export function moved(run: Run, instance: Instance, gone: Change, now: number): Change[] | undefined {
  if (!isMoving(instance) || !mayLaunch(run) || mustGo(run, instance)) return undefined;
  const next = nextCloud(run, instance, now);
  if (next !== undefined) return [launchOn(instance, next)];
  const reason = `${instance.name}: ${instance.machine.cloud} has no room for it${whyNowhere(run, instance, now)}`;
  return [gone, ...dropOrAbort(run, instance, reason, now)];
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
