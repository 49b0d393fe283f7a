import { firstCloud } from '@paceline/model';
import { overBudgetWith, tooExpensive } from '../placement/cost.ts';
import type { Change } from '../run/change.ts';
import { createInstance } from '../run/create.ts';
import { instanceOf } from '../run/apply.ts';
import { hasJoined, type Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import type { Scaling } from '../run/scaling.ts';
import { firstValues } from '../run/first-values.ts';
import { enter } from './enter.ts';
import { readScaleRequest, type ScaleOptions, type ScaleRequest } from './scale-request.ts';
import { hasCompletedWork } from './steps.ts';

/**
 * What a wish changes, and which instances it concerns. The same wish, made again because its answer was lost, changes nothing, whatever was wished since.
 * @throws as {@link readScaleRequest}, and PACELINE_OVER_BUDGET
 */
export function scale(run: Run, request: ScaleRequest, options: ScaleOptions, now: number): { changes: Change[]; instances: string[] } {
  const before = run.facts.scalings.find(({ id }) => id === request.id);
  if (before !== undefined) return { changes: [], instances: before.instances };
  const scaling = readScaleRequest(run, request);
  if (scaling === undefined) return { changes: [], instances: [] };
  if (scaling.action === 'vm_create') refuseOverBudget(run, scaling, now);
  const changes =
    options.atOnce === true && scaling.action === 'vm_remove' ? removeAtOnce(run, scaling, now) : beginScaling(run, scaling, now);
  return { changes, instances: scaling.instances };
}

/** @throws PACELINE_OVER_BUDGET when the machines that come would cost more than the run may */
function refuseOverBudget(run: Run, { node, instances }: Scaling, now: number): void {
  const places = instances.map((name) => ({ node, cloud: cloudOf(run, node, indexOf(node, name)) }));
  const problems = overBudgetWith(run, places, now);
  if (problems.length > 0) throw tooExpensive(`${instances.length} more machines of ${node}`, problems);
}

/** The beginning of a scaling: the run goes through its states once more, with other work for everybody. */
function beginScaling(run: Run, scaling: Scaling, now: number): Change[] {
  return [
    ...(scaling.action === 'vm_create' ? newcomers(run, scaling) : chosen(scaling)),
    { kind: 'run', patch: { scaling, scalings: withRequest(run, scaling) } },
    { kind: 'event', at: now, body: announcement(scaling) },
    ...enter('Provisioning', run, now),
  ];
}

/** How many requests a run remembers. */
const remembered = 16;

function withRequest({ facts: { scalings } }: Run, { id, instances }: Scaling): Run['facts']['scalings'] {
  return [{ id, instances }, ...scalings].slice(0, remembered);
}

/**
 * The others hear of machines that have gone while an abort kept all hooks from running, once it is taken back: the run goes through its
 * states again, with nothing to do but that.
 */
export function tellLate(run: Run, now: number): Change[] {
  const { untold, abort, outcome } = run.facts;
  if (untold === null || abort !== null || outcome !== null) return [];
  return [
    { kind: 'run', patch: { scaling: untold, untold: null } },
    { kind: 'event', at: now, body: announcement(untold) },
    ...enter('Provisioning', run, now),
  ];
}

/** Takes instances out of a run at once and without a word to their recipes, as SlipStream's `delete-ids-only` does. */
function removeAtOnce(run: Run, scaling: Scaling, now: number): Change[] {
  return [
    { kind: 'run', patch: { scalings: withRequest(run, scaling) } },
    { kind: 'event', at: now, body: announcement(scaling) },
    ...scaling.instances.flatMap((name) => [
      { kind: 'instance' as const, name, patch: { removing: true } },
      ...scaledAway(instanceOf(run, name), now),
    ]),
  ];
}

/**
 * What the scaling under way makes of its instances by now: those that have done their last work go, those that never came are
 * given up, and those that are ready for it are altered.
 */
export function scalingChanges(run: Run, now: number): Change[] {
  const { scaling } = run.facts;
  if (scaling === null) return [];
  for (const name of scaling.instances) {
    const instance = instanceOf(run, name);
    if (instance.dropped) continue;
    const changes = changesOf(run, scaling, instance, now);
    if (changes.length > 0) return changes;
  }
  return [];
}

function changesOf(run: Run, { action, alteration }: Scaling, instance: Instance, now: number): Change[] {
  const isProvisioning = run.facts.state === 'Provisioning';
  switch (action) {
    case 'vm_create':
      // Whatever the reason, the run has gone on without it; or an abort without any of them: they have done nothing, and nobody hears of them.
      return isProvisioning || (hasJoined(instance) && !run.facts.recovery) ? [] : scaledAway(instance, now);
    case 'vm_remove':
      if (isProvisioning && !isDone(run, instance)) return [];
      return [set(instance, 'pre.scale.done', 'true'), ...scaledAway(instance, now)];
    case 'vm_resize':
    case 'disk_attach':
    case 'disk_detach':
      if (!isProvisioning)
        return instance.machine.wanted === null ? [] : [{ kind: 'machine', name: instance.name, patch: { wanted: null } }];
      if (run.parameters.has(`${instance.name}:pre.scale.done`) || !isDone(run, instance)) return [];
      return [
        set(instance, 'pre.scale.done', 'true'),
        { kind: 'machine', name: instance.name, patch: { wanted: alteration, attempts: 0, retryAt: 0 } },
      ];
  }
}

/** A machine that is lost has nothing more to do. */
function isDone(run: Run, instance: Instance): boolean {
  return !hasJoined(instance) || instance.machine.cloudState === 'lost' || hasCompletedWork(run, instance);
}

function newcomers(run: Run, { node, instances }: Scaling): Change[] {
  return instances.flatMap((name): Change[] => {
    const index = indexOf(node, name);
    const instance = createInstance(run, node, index, cloudOf(run, node, index));
    const values = firstValues(run, node);
    return [
      { kind: 'newcomer', instance },
      ...values.map(([parameter, { value, secret }]) => ({ kind: 'parameter' as const, key: `${name}:${parameter}`, value, secret })),
    ];
  });
}

function indexOf(node: string, name: string): number {
  return Number(name.slice(node.length + 1));
}

function cloudOf(run: Run, node: string, index: number): string {
  const planned = run.plan.nodes[node];
  return planned === undefined ? '' : firstCloud(planned, index);
}

function chosen({ action, instances, alteration }: Scaling): Change[] {
  const told = toldOf(alteration);
  return instances.flatMap((name): Change[] => [
    { kind: 'instance', name, patch: { removing: action === 'vm_remove' } },
    ...progress.map((parameter): Change => ({
      kind: 'parameter',
      key: `${name}:${parameter}`,
      value: told[parameter] ?? null,
      secret: false,
    })),
  ]);
}

/** What recipes read of a scaling that is under way, or was the last (reference 1.6). */
const progress = ['pre.scale.done', 'scale.iaas.done', 'disk.attach.size', 'disk.attached.device', 'disk.detach.device'];

function toldOf(alteration: Scaling['alteration']): Record<string, string> {
  switch (alteration?.kind) {
    case 'attachDisk':
      return { 'disk.attach.size': String(alteration.gib) };
    case 'detachDisk':
      return { 'disk.detach.device': alteration.device };
    default:
      return {};
  }
}

function scaledAway(instance: Instance, now: number): Change[] {
  const { name, machine } = instance;
  return [
    { kind: 'instance', name, patch: { dropped: true, step: null } },
    // A machine that was never asked for needs no end.
    ...(machine.status === 'wanted' ? [{ kind: 'machine' as const, name, patch: { status: 'gone' as const } }] : []),
    {
      kind: 'event',
      at: now,
      body: { type: 'instance.dropped', severity: 'info', message: `${name} leaves the run`, data: { instance: name } },
    },
  ];
}

function set(instance: Instance, name: string, value: string): Change {
  return { kind: 'parameter', key: `${instance.name}:${name}`, value, secret: false };
}

function announcement({ action, node, instances }: Scaling): Extract<Change, { kind: 'event' }>['body'] {
  const message = {
    vm_create: `Scaling up '${node}' with ${instances.length} new instances: ${instances.join(', ')}`,
    vm_remove: `Scaling down '${node}': ${instances.join(', ')}`,
    vm_resize: `Resizing '${node}': ${instances.join(', ')}`,
    disk_attach: `Giving '${node}' another disk: ${instances.join(', ')}`,
    disk_detach: `Taking a disk from '${node}': ${instances.join(', ')}`,
  }[action];
  return { type: 'run.scaling', severity: 'info', message, data: { action, node, instances } };
}
