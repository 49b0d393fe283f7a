import type { Assignment, RunState, Step } from '@paceline/api/agent';
import { phaseLabels, type ResolvedImage, type ScriptPhase } from '@paceline/model';
import { scriptDigest } from '../run/script-digest.ts';
import type { Instance } from '../run/instance.ts';
import { hasJoined } from '../run/instance.ts';
import type { RunView } from '../run/run.ts';

const installPhases = ['preInstall', 'packages', 'postInstall'] as const;

/** What an instance has to do in the run's present state. Nothing, in the states that the engine completes by itself. */
export function assignmentOf(run: RunView, instance: Instance): Assignment {
  const { seq, state, abort } = run.facts;
  return { seq, state, abort: abort?.reason ?? null, steps: stepsOf(run, instance), completed: hasCompleted(run, instance) };
}

/** True when the instance has done all that the present state asks of it. */
export function hasCompleted(run: RunView, instance: Instance): boolean {
  return instance.completed >= run.facts.seq || (hasJoined(instance) && stepsOf(run, instance).length === 0);
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

const stepCache = new WeakMap<ResolvedImage, Partial<Record<RunState, Step[]>>>();

function stepsOf(run: RunView, instance: Instance): Step[] {
  const { state, recovery } = run.facts;
  if (recovery && state === 'Executing') return [];
  const node = run.plan.nodes[instance.node];
  if (node === undefined) return [];
  let byState = stepCache.get(node.image);
  if (byState === undefined) stepCache.set(node.image, (byState = {}));
  return (byState[state] ??= stepsIn(state, node.image));
}

function stepsIn(state: RunState, image: ResolvedImage): Step[] {
  if (state === 'Executing') {
    return [...installPhases.flatMap((phase) => phaseSteps(image, phase)), ...phaseSteps(image, 'deploy')];
  }
  if (state === 'SendingReports') return [...phaseSteps(image, 'report'), { kind: 'report', id: 'report-upload' }];
  return [];
}

/** One phase over the inheritance chain: ancestors first, a failing parent stops the child (reference: SlipStream's sub-targets). */
function phaseSteps(image: ResolvedImage, phase: ScriptPhase | 'packages'): Step[] {
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
        env: {},
      },
    ];
  });
}
