import { bounds, PacelineError } from '@paceline/model';
import { entryOf } from '../run/entry.ts';
import { instanceOf } from '../run/apply.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import type { Alteration, Scaling, Size } from '../run/scaling.ts';

/** What somebody wants of a node's machines. */
export interface ScaleRequest {
  /** The same for a request that is made again. */
  id: string;
  node: string;
  wish:
    | { add: number; tolerate?: number | undefined }
    /** Those whose machine is lost go first, then those that came last. */
    | { remove: number }
    /** So many that live; those whose machine is lost go. */
    | { count: number; tolerate?: number | undefined }
    /** Numbers of instances. */
    | { removeIds: readonly number[] }
    /** Without numbers: all. */
    | { resize: Size; ids?: readonly number[] | undefined }
    /** So many GiB. */
    | { attachDisk: number; ids?: readonly number[] | undefined }
    /** The device; without numbers, of all machines that have such a one. */
    | { detachDisk: string; ids?: readonly number[] | undefined };
}

/** What somebody wants, and how. */
export interface ScaleOptions {
  /** Machines that go do so at once, and no hook hears of it. */
  atOnce?: boolean;
}

/** SlipStream's limit for one request. */
const mostAdded = 100;

/**
 * What a request means for a run as it is.
 * @returns undefined when there is nothing to do
 * @throws PACELINE_NOT_FOUND, PACELINE_REQUEST_INVALID, PACELINE_RUN_ABORTED, PACELINE_CONFLICT when the run is not scalable, or not ready
 */
export function readScaleRequest(run: Run, { id, node, wish }: ScaleRequest): Scaling | undefined {
  if (entryOf(run.plan.nodes, node) === undefined)
    throw new PacelineError('PACELINE_NOT_FOUND', `The run has no node ${node}`, {
      hint: `It has ${Object.keys(run.plan.nodes).join(', ')}.`,
    });
  checkReady(run);
  const members = membersIn(run, node);
  const base = { id, node, tolerated: 0, alteration: null };
  if ('add' in wish) return adding(run, base, wish.add, wish.tolerate);
  if ('remove' in wish) return removing(base, lastOf(members, wish.remove, node));
  if ('count' in wish) {
    const alive = members.filter((instance) => !isLost(instance)).length;
    const more = wish.count - alive;
    if (more > 0) return adding(run, base, more, wish.tolerate);
    return removing(base, lastOf(members, members.length - wish.count, node));
  }
  if ('removeIds' in wish) return removing(base, named(run, node, wish.removeIds));
  const chosen = wish.ids === undefined ? members : named(run, node, wish.ids);
  if ('resize' in wish) return altering(base, 'vm_resize', chosen, { kind: 'resize', size: wish.resize });
  if ('attachDisk' in wish) return altering(base, 'disk_attach', chosen, { kind: 'attachDisk', token: id, gib: wish.attachDisk });
  const owners = havingDisk(chosen, wish.detachDisk, wish.ids !== undefined);
  return altering(base, 'disk_detach', owners, { kind: 'detachDisk', device: wish.detachDisk });
}

function altering(base: Base, action: Scaling['action'], instances: readonly Instance[], alteration: Alteration): Scaling | undefined {
  return instances.length === 0 ? undefined : { ...base, action, instances: namesOf(instances), alteration };
}

/** @param all whether each of them has to have it */
function havingDisk(instances: readonly Instance[], device: string, all: boolean): Instance[] {
  const owners = instances.filter(({ machine }) => machine.disks.some((disk) => disk.device === device));
  const without = all ? instances.find((instance) => !owners.includes(instance)) : owners.length === 0 ? instances[0] : undefined;
  if (without === undefined) return owners;
  const devices = without.machine.disks.map((disk) => disk.device);
  throw new PacelineError('PACELINE_NOT_FOUND', `${without.name} was given no disk ${device}`, {
    hint: devices.length === 0 ? 'Only a disk that was attached while the run was up can be detached.' : `It has ${devices.join(', ')}.`,
  });
}

type Base = Omit<Scaling, 'action' | 'instances'>;

/** Those of a node that take part, in the order of their numbers. */
function membersIn(run: Run, node: string): Instance[] {
  return [...run.instances.values()].filter((instance) => instance.node === node && !instance.dropped);
}

function checkReady(run: Run): void {
  const { state, outcome, abort } = run.facts;
  if (run.plan.scalable !== true)
    throw new PacelineError('PACELINE_CONFLICT', `The run ${run.id} is not scalable`, {
      hint: 'Start it with `--scalable`, or write `scalable: true` into the deployment.',
    });
  if (abort !== null)
    throw new PacelineError('PACELINE_RUN_ABORTED', `The abort flag of the run is raised: ${abort.reason}`, {
      hint: '`paceline cancel-abort` takes it down.',
    });
  if (state === 'Ready' && outcome === null) return;
  throw new PacelineError('PACELINE_CONFLICT', `The run can be scaled when it is Ready, and is ${outcome === null ? state : 'ending'}`, {
    hint: outcome === null ? 'Wait until it is ready: one change at a time.' : 'Start another run.',
  });
}

function adding(run: Run, base: Base, count: number, tolerate: number | undefined): Scaling | undefined {
  if (count === 0) return undefined;
  if (count > mostAdded)
    throw new PacelineError('PACELINE_REQUEST_INVALID', `At most ${mostAdded} machines can be added at once, not ${count}`);
  let live = 0;
  let last = 0;
  for (const { node, index, dropped } of run.instances.values()) {
    if (!dropped) live += 1;
    if (node === base.node) last = Math.max(last, index);
  }
  if (live + count > bounds.instances)
    throw new PacelineError('PACELINE_REQUEST_INVALID', `A run has at most ${bounds.instances} machines, not ${live + count}`);
  if (tolerate !== undefined && tolerate > 0 && tolerate >= count)
    throw new PacelineError('PACELINE_REQUEST_INVALID', `Of ${count} new machines, fewer than all may fail, not ${tolerate}`);
  const tolerated = tolerate ?? Math.min(run.plan.nodes[base.node]?.maxProvisioningFailures ?? 0, count - 1);
  // Numbers of machines that are gone are not used again.
  const instances = Array.from({ length: count }, (_, at) => `${base.node}.${last + 1 + at}`);
  return { ...base, tolerated, action: 'vm_create', instances };
}

function removing(base: Base, instances: readonly Instance[]): Scaling | undefined {
  return instances.length === 0 ? undefined : { ...base, action: 'vm_remove', instances: namesOf(instances) };
}

function lastOf(members: readonly Instance[], count: number, node: string): Instance[] {
  if (count > members.length)
    throw new PacelineError('PACELINE_REQUEST_INVALID', `${node} has ${members.length} machines: ${count} cannot be removed`);
  return members
    .toSorted((a, b) => Number(isLost(a)) - Number(isLost(b)) || a.index - b.index)
    .slice(members.length - count)
    .toSorted((a, b) => a.index - b.index);
}

function isLost({ machine }: Instance): boolean {
  return machine.cloudState === 'lost';
}

function named(run: Run, node: string, ids: readonly number[]): Instance[] {
  return [...new Set(ids)].map((id) => {
    const name = `${node}.${id}`;
    if (run.instances.get(name)?.dropped !== false) throw new PacelineError('PACELINE_NOT_FOUND', `The run has no machine ${name}`);
    return instanceOf(run, name);
  });
}

function namesOf(instances: readonly Instance[]): string[] {
  return instances.map(({ name }) => name);
}
