import type { Machine } from '../connector/index.ts';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { dropOrAbort } from '../lifecycle/provisioning.ts';
import { machineChange } from './ledger.ts';

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
  if (machine.state === 'error' || machine.state === 'terminated') {
    const why = machine.fault === undefined ? `its machine is ${machine.state === 'error' ? 'in error' : 'gone'}` : machine.fault;
    changes.push(...lost(run, instance, why, now));
  }
  return changes;
}

/** A machine that was there is not there any more, or is broken. Nobody need wait for it. */
export function lost(run: Run, instance: Instance, why: string, now: number): Change[] {
  const { state, outcome } = run.facts;
  if (outcome !== null) return [];
  const reason = `${instance.name} is lost: ${why}`;
  if (state === 'Ready') {
    return [
      machineChange(instance, { cloudState: 'lost', fault: why }),
      { kind: 'event', at: now, body: { type: 'instance.notice', severity: 'error', message: reason, data: { instance: instance.name } } },
    ];
  }
  return [machineChange(instance, { cloudState: 'lost', fault: why }), ...dropOrAbort(run, instance, reason, now)];
}

export function machineGone(instance: Instance, now: number): Change[] {
  const { id } = instance.machine;
  const changes: Change[] = [machineChange(instance, { status: 'gone', cloudState: 'terminated', attempts: 0 })];
  if (id !== null) changes.push(machineEvent(instance, 'gone', id, null, now));
  return changes;
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
