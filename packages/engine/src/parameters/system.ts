import { hasCompleted } from '../lifecycle/steps.ts';
import type { Instance } from '../run/instance.ts';
import { builtFor, hasJoined, isMember } from '../run/instance.ts';
import { hasEnded, type RunView } from '../run/run.ts';
import { isVertical } from '../run/scaling.ts';

type GlobalValue = (run: RunView) => string;
type NodeValue = (run: RunView, node: string) => string;
type InstanceValue = (run: RunView, instance: Instance) => string;

/** What every run knows of itself (reference: SlipStream's RunFactory). Worked out when read, so nothing can get out of step. */
export const globalValues: Record<string, GlobalValue> = {
  category: (run) => run.plan.category,
  state: (run) => run.facts.state,
  complete: () => '',
  abort: (run) => run.facts.abort?.reason ?? '',
  groups: (run) =>
    Object.entries(run.plan.nodes)
      .map(([node, { cloud }]) => `${cloud}:${node}`)
      .join(','),
  tags: (run) => run.tags.join(','),
  'recovery.mode': (run) => String(run.facts.recovery),
};

export const nodeValues: Record<string, NodeValue> = {
  ids: (run, node) => membersOf(run, node).join(','),
  multiplicity: (run, node) => String(membersOf(run, node).length),
  'max-provisioning-failures': (run, node) => String(run.plan.nodes[node]?.maxProvisioningFailures ?? 0),
};

export const instanceValues: Record<string, InstanceValue> = {
  nodename: (_run, { node }) => node,
  id: (_run, { index }) => String(index),
  cloudservice: (_run, { machine }) => machine.cloud,
  'image.id': (run, instance) =>
    builtFor(run.plan, instance)?.image ?? run.plan.nodes[instance.node]?.image.clouds[instance.machine.cloud]?.image ?? '',
  'image.platform': () => 'linux',
  'service-offer': () => '',
  statecustom: (_run, { statecustom }) => statecustom,
  vmstate: (_run, { machine }) => machine.cloudState || 'Unknown',
  abort: (_run, { abort }) => abort ?? '',
  complete: (run, instance) => String(hasCompleted(run, instance)),
  state: (run) => run.facts.state,
  'is.orchestrator': () => 'false',
  'scale.state': (run, instance) => scaleState(run, instance),
  network: () => 'Public',
  'cpu.nb': (run, { node, machine }) => String(machine.size?.cpus ?? run.plan.nodes[node]?.image.resources.cpus ?? ''),
  'ram.GB': (run, { node, machine }) => gigabytes(machine.size?.memoryMiB ?? run.plan.nodes[node]?.image.resources.memoryMiB),
  'disk.GB': (run, { node }) => String(run.plan.nodes[node]?.image.resources.diskGiB ?? ''),
};

/** Read as empty text rather than as "not set yet" when they have no value, as SlipStream did. */
export const neverBlocking = new Set([
  'complete',
  'ids',
  'abort',
  'statecustom',
  'vmstate',
  'tags',
  'groups',
  'recovery.mode',
  'category',
  'state',
]);

/** Set while the run goes on, by the engine or by a recipe. */
export const storedInstanceNames = new Set([
  'hostname',
  'instanceid',
  'url.ssh',
  'url.service',
  'pre.scale.done',
  'scale.iaas.done',
  'disk.attach.size',
  'disk.attached.device',
  'disk.detach.device',
  'extra.disk.volatile',
]);
export const storedGlobalNames = new Set(['url.service', 'run.api.key', 'deployment.credential.ids']);

/** The instance numbers of a node that take part, in order. */
export function membersOf(run: RunView, node: string): number[] {
  const members: number[] = [];
  for (const instance of run.instances.values()) if (instance.node === node && isMember(instance)) members.push(instance.index);
  return members;
}

/** SlipStream's word for where a machine is in the coming and going (reference 2.6). */
function scaleState(run: RunView, instance: Instance): string {
  const { state, scaling } = run.facts;
  const isOver = state === 'Ready' || state === 'Finalizing' || hasEnded(run);
  if (instance.machine.status === 'gone') return instance.removing && !isOver ? 'removed' : 'gone';
  if (instance.dropped || instance.removing || instance.machine.status === 'terminating') return 'removing';
  if (!hasJoined(instance)) return 'creating';
  if (isOver || (scaling !== null && !scaling.instances.includes(instance.name))) return 'operational';
  if (scaling === null || !isVertical(scaling.action)) return 'created';
  const verb = { resize: 'resiz', attachDisk: 'disk_attach', detachDisk: 'disk_detach' }[scaling.alteration?.kind ?? 'resize'];
  return `${verb}${run.parameters.get(`${instance.name}:scale.iaas.done`) === undefined ? 'ing' : 'ed'}`;
}

function gigabytes(memoryMiB: number | undefined): string {
  return memoryMiB === undefined ? '' : String(memoryMiB / 1024);
}
