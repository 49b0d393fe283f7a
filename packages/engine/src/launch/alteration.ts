import { PacelineError } from '@paceline/model';
import type { Change } from '../run/change.ts';
import { isMember, type Instance, type MachineEntry } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import type { Alteration, Disk } from '../run/scaling.ts';
import { abortChanges } from '../lifecycle/abort.ts';
import type { ConnectorError } from '../connector/index.ts';
import type { Clouds } from './clouds.ts';
import { machineChange } from './ledger.ts';
import { backoffMs, isTransient } from './retry.ts';

const words = {
  resize: { can: 'resize machines', done: 'resized' },
  attachDisk: { can: 'give machines another disk', done: 'given another disk' },
  detachDisk: { can: 'take disks from machines', done: 'rid of its disk' },
} as const;

export const alterationKinds = ['resize', 'attachDisk', 'detachDisk'] as const satisfies Alteration['kind'][];

/** @throws PACELINE_REQUEST_INVALID when a cloud of a node cannot alter its machines so */
export function refuseWithoutAlteration(run: Run, node: string, kind: Alteration['kind'], clouds: Clouds): void {
  for (const instance of run.instances.values()) {
    const { cloud } = instance.machine;
    if (instance.node !== node || !isMember(instance) || clouds.find(cloud)?.connector[kind] !== undefined) continue;
    throw new PacelineError('PACELINE_REQUEST_INVALID', `The cloud ${cloud} cannot ${words[kind].can}`, {
      hint: 'Add machines instead, or start the run with larger ones.',
    });
  }
}

/**
 * The cloud has done with a machine what was wanted.
 * @param attached the disk that it has given
 */
export function altered(instance: Instance, attached?: Omit<Disk, 'gib'>): Change[] {
  const { machine, name } = instance;
  const { wanted } = machine;
  if (wanted === null) return [];
  const value = (parameter: string, text: string): Change => ({
    kind: 'parameter',
    key: `${name}:${parameter}`,
    value: text,
    secret: false,
  });
  return [
    machineChange(instance, { ...outcomeOf(machine, wanted, attached), wanted: null, attempts: 0, retryAt: 0, fault: null }),
    ...(attached === undefined ? [] : [value('disk.attached.device', attached.device)]),
    value('scale.iaas.done', 'true'),
  ];
}

function outcomeOf({ size, disks }: MachineEntry, wanted: Alteration, attached?: Omit<Disk, 'gib'>): Partial<MachineEntry> {
  switch (wanted.kind) {
    case 'resize':
      return { size: { ...size, ...wanted.size } };
    case 'attachDisk':
      return attached === undefined ? {} : { disks: [...disks, { ...attached, gib: wanted.gib }] };
    case 'detachDisk':
      return { disks: disks.filter(({ device }) => device !== wanted.device) };
  }
}

/** @param random a number in [0, 1) */
export function alterationFailed(
  run: Run,
  instance: Instance,
  { code, message, details }: ConnectorError,
  random: number,
  now: number,
): Change[] {
  const { wanted, cloud, attempts: before } = instance.machine;
  if (wanted === null) return [];
  const attempts = before + 1;
  const retryAt = now + backoffMs(attempts, random, details.retryAfterMs);
  if (isTransient(code)) return [machineChange(instance, { attempts, retryAt, fault: message })];
  const reason = `${instance.name} could not be ${words[wanted.kind].done} on ${cloud}: ${message}`;
  return [
    machineChange(instance, { wanted: null, attempts: 0, retryAt: 0, fault: message }),
    ...abortChanges(run, `${instance.name}:abort`, reason, now),
  ];
}
