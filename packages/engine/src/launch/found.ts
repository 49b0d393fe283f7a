import type { Machine, MachineState } from '../connector/index.ts';
import type { Change, Decision } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { isImageMissing } from '../lifecycle/policy.ts';
import { dropOrAbort } from '../lifecycle/provisioning.ts';
import { nextCloud, whyNowhere } from '../placement/candidates.ts';
import { moveAway, moved } from '../placement/move.ts';
import { isMoving } from '../placement/moving.ts';
import { hasJoined } from '../run/instance.ts';
import { machineChange } from './ledger.ts';

/** States out of which no machine of ours comes back by itself. */
const endings: Partial<Record<MachineState, string>> = {
  error: 'its machine is in error',
  stopped: 'its machine has stopped',
  terminated: 'its machine is gone',
};

/**
 * What a cloud's word about a machine changes: its entry, and once its address is known the parameters that every recipe may
 * rely on (`hostname`, `instanceid`, `url.ssh`).
 */
export function machineFound(run: Run, instance: Instance, machine: Machine, now: number): Change[] {
  const entry = instance.machine;
  const address = machine.publicIps[0] ?? machine.privateIps[0] ?? null;
  const login = machine.login ?? entry.login;
  const changes: Change[] = [];
  const fresh = entry.id === null;
  if (entry.cloudState === 'lost' || isMoving(instance)) return [];
  // A second machine of a launch that was made twice: nobody needs it, and what is left of a run is removed at its end.
  if (!fresh && entry.id !== machine.id) return [];
  if (fresh || entry.address !== address || entry.cloudState !== machine.state) {
    changes.push(
      machineChange(instance, {
        status: entry.status === 'intended' ? 'launched' : entry.status,
        id: machine.id,
        address: address ?? entry.address,
        login,
        cloudState: machine.state,
        launchedAt: entry.launchedAt ?? now,
        attempts: 0,
        fault: machine.fault ?? null,
      }),
    );
  }
  if (fresh) {
    changes.push(set(instance, 'instanceid', machine.id));
    changes.push(machineEvent(instance, 'launched', machine.id, address, now));
  }
  if (address !== null && entry.address !== address) {
    changes.push(set(instance, 'hostname', address), set(instance, 'url.ssh', `ssh://${login ?? 'root'}@${address}`));
  }
  const ended = endings[machine.state];
  if (ended !== undefined) changes.push(...overWith(run, instance, machine, machine.fault ?? ended, now));
  return changes;
}

/** A machine has come to its end by itself. Where it had no room, another cloud may have some. */
function overWith(run: Run, instance: Instance, { noRoom }: Machine, why: string, now: number): Change[] {
  const wouldMove = noRoom === true && !hasJoined(instance);
  const mayMove = wouldMove && nextCloud(run, instance, now) !== undefined;
  // What was made needs its end first, and that its id, which the entry has by the next look.
  if (mayMove && instance.machine.id === null) return [];
  const others = wouldMove && !mayMove ? whyNowhere(run, instance, now) : '';
  return (mayMove ? moveAway(run, instance, why, now) : undefined) ?? lost(run, instance, `${why}${others}`, now);
}

/** A machine that was there is not there any more, or is broken. Nobody need wait for it. */
export function lost(run: Run, instance: Instance, why: string, now: number): Change[] {
  const { state, outcome } = run.facts;
  if (outcome !== null || instance.machine.cloudState === 'lost') return [];
  const reason = `${instance.name} is lost: ${why}`;
  if (state === 'Ready' && !isImageMissing(run)) {
    return [
      machineChange(instance, { cloudState: 'lost', fault: why }),
      { kind: 'event', at: now, body: { type: 'instance.notice', severity: 'error', message: reason, data: { instance: instance.name } } },
    ];
  }
  return [machineChange(instance, { cloudState: 'lost', fault: why }), ...dropOrAbort(run, instance, reason, now)];
}

/** The agent of a machine that was taken for lost has called: it is there after all. */
export function machineBack(instance: Instance, now: number): Change[] {
  if (instance.machine.cloudState !== 'lost') return [];
  const body = {
    type: 'instance.notice' as const,
    severity: 'warning' as const,
    message: `${instance.name} is back`,
    data: { instance: instance.name },
  };
  return [machineChange(instance, { cloudState: 'running', fault: null }), { kind: 'event', at: now, body }];
}

export function machineGone(run: Run, instance: Instance, now: number): Change[] {
  const { id } = instance.machine;
  const gone = machineChange(instance, { status: 'gone', cloudState: 'terminated', endedAt: now, attempts: 0 });
  const changes = moved(run, instance, gone, now) ?? [gone];
  if (id !== null) changes.push(machineEvent(instance, 'gone', id, null, now));
  return changes;
}

export function machinesGone(instances: readonly Instance[]): Decision[] {
  return instances.map((instance) => (run, now) => machineGone(run, instance, now));
}

/** A cloud showed something of the run that the ledger does not know. */
export function leftover(cloud: string, ids: readonly string[], failure: string | undefined, now: number): Change {
  const what = `${cloud} still had ${ids.join(', ')} of this run, which nobody was told of`;
  const message = failure === undefined ? `${what}; it is being removed` : `${what}, and it cannot be removed: ${failure}`;
  const severity = failure === undefined ? 'warning' : 'error';
  return { kind: 'event', at: now, body: { type: 'run.leftover', severity, message, data: { cloud, ids: [...ids] } } };
}

function set(instance: Instance, name: string, value: string): Change {
  return { kind: 'parameter', key: `${instance.name}:${name}`, value, secret: false };
}

function machineEvent(instance: Instance, status: string, id: string, address: string | null, now: number): Change {
  const where = address === null ? '' : ` at ${address}`;
  return {
    kind: 'event',
    at: now,
    body: {
      type: 'instance.machine',
      severity: 'info',
      message: `${instance.name}: machine ${id} ${status}${where}`,
      data: { instance: instance.name, status, id, ...(address === null ? {} : { address }) },
    },
  };
}
