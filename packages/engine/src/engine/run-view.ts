import type { InstanceView, RunDetail, RunSummary } from '@paceline/api';
import type { PlannedNode } from '@paceline/model';
import { waitGraph } from '../lifecycle/stall.ts';
import { hasCompleted } from '../lifecycle/steps.ts';
import { readParameter } from '../parameters/read.ts';
import type { Instance } from '../run/instance.ts';
import { hasJoined } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import type { RunListEntry } from '../store/run-store.ts';

/** What only the owner of a run can see of its instances. */
export interface LiveSight {
  isConnected(instance: Instance): boolean;
  blockedIn(instance: Instance): string[];
}

export const nothingLive: LiveSight = { isConnected: () => false, blockedIn: () => [] };

export function summarise(entry: RunListEntry): RunSummary {
  return {
    id: entry.id,
    name: entry.name,
    state: entry.state as RunSummary['state'],
    createdAt: iso(entry.createdAt),
    createdBy: entry.createdBy,
    project: entry.project,
    endedAt: entry.endedAt === null ? null : iso(entry.endedAt),
    tags: entry.tags,
  };
}

export function detail(run: Run, live: LiveSight): RunDetail {
  const { facts, plan } = run;
  return {
    id: run.id,
    name: run.name,
    state: facts.state,
    createdAt: iso(run.createdAt),
    createdBy: run.createdBy,
    project: run.project,
    endedAt: facts.endedAt === null ? null : iso(facts.endedAt),
    tags: run.tags,
    category: plan.category,
    module: plan.deployment.module,
    digest: plan.deployment.digest,
    stateSince: iso(facts.stateSince),
    abort: facts.abort === null ? null : { reason: facts.abort.reason, source: facts.abort.source, at: iso(facts.abort.at) },
    outcome: facts.outcome,
    keepRunning: plan.keepRunning,
    scalable: plan.scalable === true,
    scaling: facts.scaling === null ? null : { action: facts.scaling.action, node: facts.scaling.node, instances: facts.scaling.instances },
    expiresAt: iso(facts.expiresAt),
    serviceUrl: readParameter(run, 'ss:url.service').value ?? null,
    nodes: Object.entries(plan.nodes).map(([name, node]) => {
      const { prices } = node;
      return { name, image: node.image.name, needs: needsOf(name, node), ...(prices && { prices }) };
    }),
    instances: [...run.instances.values()]
      .filter((instance) => !isScaledAway(instance))
      .map((instance) => instanceView(run, instance, live)),
    waits: waitGraph(run, (instance) => live.blockedIn(instance)),
    lastEvent: facts.lastEvent,
  };
}

/** The nodes whose values another one follows. */
function needsOf(name: string, { parameters }: PlannedNode): string[] {
  const from = Object.values(parameters).flatMap((parameter) =>
    parameter.from === undefined ? [] : [parameter.from.split(/[.:]/, 1)[0] ?? ''],
  );
  return [...new Set(from)].filter((node) => node !== name);
}

function instanceView(run: Run, instance: Instance, live: LiveSight): InstanceView {
  const { name, node, index, machine, step, statecustom, abort, dropped } = instance;
  return {
    name,
    node,
    index,
    cloud: machine.cloud,
    stage: stageOf(instance),
    machineId: machine.id,
    address: machine.address,
    step,
    complete: hasCompleted(run, instance),
    message: statecustom,
    abort,
    fault: machine.fault,
    connected: live.isConnected(instance),
    blockedIn: live.blockedIn(instance),
    dropped,
    disks: machine.disks.map(({ device, gib }) => ({ device, gib })),
  };
}

/** Its parameters can still be read, but there is nothing more to see of it. */
function isScaledAway({ removing, machine }: Instance): boolean {
  return removing && machine.status === 'gone';
}

function stageOf(instance: Instance): InstanceView['stage'] {
  switch (instance.machine.status) {
    case 'wanted':
      return 'wanted';
    case 'intended':
      return 'launching';
    case 'launched':
      if (instance.removing) return 'leaving';
      return hasJoined(instance) ? 'joined' : 'booting';
    case 'terminating':
      return 'leaving';
    case 'gone':
      return 'gone';
  }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
