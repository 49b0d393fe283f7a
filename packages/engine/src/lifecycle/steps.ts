import type { Assignment, RunState, Step } from '@paceline/api/agent';
import { phaseLabels, type PlannedNode, type ResolvedImage, type ScriptPhase } from '@paceline/model';
import { hygiene } from '../images/hygiene.ts';
import { scriptDigest } from '../run/script-digest.ts';
import type { Instance } from '../run/instance.ts';
import { builtFor, hasJoined } from '../run/instance.ts';
import type { RunView } from '../run/run.ts';
import { isVertical, type Scaling } from '../run/scaling.ts';

const installPhases = ['preInstall', 'packages', 'postInstall'] as const;

/** What an instance has to do in the run's present state. Nothing, in the states that the engine completes by itself. */
export function assignmentOf(run: RunView, instance: Instance): Assignment {
  const { seq, state, abort } = run.facts;
  return { seq, state, abort: abort?.reason ?? null, steps: stepsOf(run, instance), completed: hasCompleted(run, instance) };
}

/** True when the instance has done all that the present state asks of it. */
export function hasCompleted(run: RunView, instance: Instance): boolean {
  return hasJoined(instance) && hasCompletedWork(run, instance);
}

/** The same, whether it has joined or not. */
export function hasCompletedWork(run: RunView, instance: Instance): boolean {
  return instance.completed >= run.facts.seq || stepsOf(run, instance).length === 0;
}

/** What people call a step: `Deployment of examples/web`. */
export function stepTitle(step: Step): string {
  switch (step.kind) {
    case 'script':
      return `${step.label} of ${step.module}`;
    case 'packages':
      return `Packages of ${step.module}`;
    case 'report':
      return 'Report';
  }
}

/** True when the run's barrier waits for this instance's agent. */
export function hasWork(run: RunView, instance: Instance): boolean {
  return !instance.dropped && hasJoined(instance) && stepsOf(run, instance).length > 0;
}

/** By how many layers are in the image that was booted. */
const stepCache = new WeakMap<PlannedNode, Partial<Record<RunState, Step[]>>[]>();

function stepsOf(run: RunView, instance: Instance): Step[] {
  const { state, recovery, scaling } = run.facts;
  if (recovery && state === 'Executing') return [];
  const node = run.plan.nodes[instance.node];
  if (node === undefined) return [];
  if (scaling !== null) return scalingSteps(run, instance, node, scaling);
  const steps = firstSteps(run, instance, node);
  return state === 'SendingReports' && run.plan.build !== undefined && run.facts.abort === null ? [...steps, hygieneStep] : steps;
}

/** What everybody has to do on the way to the first Ready. */
function firstSteps({ plan, facts: { state } }: RunView, instance: Instance, node: PlannedNode): Step[] {
  const layers = builtFor(plan, instance)?.layers ?? 0;
  let byLayers = stepCache.get(node);
  if (byLayers === undefined) stepCache.set(node, (byLayers = []));
  const byState = (byLayers[layers] ??= {});
  return (byState[state] ??= stepsIn(state, node.image, layers));
}

/** @param built so many layers are in the image that the machine has booted */
function stepsIn(state: RunState, image: ResolvedImage, built: number): Step[] {
  if (state === 'Executing') {
    const installs = installPhases.flatMap((phase) => phaseSteps(image, phase));
    // What an image has that was built is not installed again.
    const missing = installs.filter((step) => Number(step.id.slice(step.id.lastIndexOf('-') + 1)) >= built);
    return [...missing, ...phaseSteps(image, 'deploy')];
  }
  if (state === 'SendingReports') return reportSteps(image);
  return [];
}

const hygieneStep: Step = {
  kind: 'script',
  id: 'hygiene',
  phase: 'postInstall',
  label: 'Hygiene',
  module: 'paceline',
  digest: scriptDigest(hygiene),
  aborts: true,
  immune: false,
  env: {},
};

/** What hears of it: the others, or those that were altered. */
const hookAfter = {
  vm_create: 'onVmAdd',
  vm_remove: 'onVmRemove',
  vm_resize: 'postScale',
  disk_attach: 'postScale',
  disk_detach: 'postScale',
} as const;

/**
 * What is to be done while machines come, go or are altered (reference 2.6): those that come do all that the first ones did, those
 * that go do their last work before they end, and the others hear of it by their hooks. Reports come from whoever did something.
 */
function scalingSteps(run: RunView, instance: Instance, node: PlannedNode, scaling: Scaling): Step[] {
  const { image } = node;
  const { state } = run.facts;
  const { action } = scaling;
  const isChosen = isIn(scaling, instance);
  if (action === 'vm_create' && isChosen) return firstSteps(run, instance, node);
  const hooks = (phase: ScriptPhase): Step[] => phaseSteps(image, phase, hookEnvironment(run, scaling));
  const before = isChosen ? hooks('preScale') : [];
  const after = isChosen === isVertical(action) ? hooks(hookAfter[action]) : [];
  switch (state) {
    case 'Provisioning':
      return action === 'vm_remove' && isChosen ? [...before, ...reportSteps(image)] : before;
    case 'Executing':
      return after;
    case 'SendingReports':
      return before.length + after.length > 0 ? reportSteps(image) : [];
    default:
      return [];
  }
}

const membersOf = new WeakMap<Scaling, ReadonlySet<string>>();

function isIn(scaling: Scaling, { name }: Instance): boolean {
  let names = membersOf.get(scaling);
  if (names === undefined) membersOf.set(scaling, (names = new Set(scaling.instances)));
  return names.has(name);
}

/** SlipStream's names, and ours. Of machines that came, those that failed are not named. */
function hookEnvironment(run: RunView, { action, node, instances }: Scaling): Record<string, string> {
  const there = action === 'vm_create' ? instances.filter((name) => run.instances.get(name)?.dropped === false) : instances;
  const values = { ACTION: action, NODE: node, VMS: there.join(' ') };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => ['SLIPSTREAM', 'PACELINE'].map((prefix) => [`${prefix}_SCALING_${name}`, value])),
  );
}

function reportSteps(image: ResolvedImage): Step[] {
  return [...phaseSteps(image, 'report'), { kind: 'report', id: 'report-upload' }];
}

/** One phase over the inheritance chain: ancestors first, a failing parent stops the child (reference: SlipStream's sub-targets). */
function phaseSteps(image: ResolvedImage, phase: ScriptPhase | 'packages', env: Record<string, string> = {}): Step[] {
  return image.layers.flatMap(({ module, packages, scripts }, layer): Step[] => {
    const id = `${phase}-${layer}`;
    if (phase === 'packages') return packages.length === 0 ? [] : [{ kind: 'packages', id, module, packages }];
    const script = scripts[phase];
    if (script === undefined) return [];
    const immune = phase === 'report';
    return [
      {
        kind: 'script',
        id,
        phase,
        label: phaseLabels[phase],
        module,
        digest: scriptDigest(script),
        aborts: phase === 'preInstall' || phase === 'postInstall' || phase === 'deploy',
        immune,
        env,
      },
    ];
  });
}
