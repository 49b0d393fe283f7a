import type { RunPlan } from '@paceline/model';
import type { RunView } from '../run/run.ts';

interface Target {
  node: string;
  name: string;
}

const indexes = new WeakMap<RunPlan, Map<string, Target[]>>();
const none: Target[] = [];

/** The node inputs that follow this parameter directly. */
export function mappedFrom(run: RunView, key: string): readonly Target[] {
  let index = indexes.get(run.plan);
  if (index === undefined) indexes.set(run.plan, (index = buildIndex(run.plan)));
  return index.get(key) ?? none;
}

function buildIndex(plan: RunPlan): Map<string, Target[]> {
  const index = new Map<string, Target[]>();
  for (const [node, { parameters }] of Object.entries(plan.nodes)) {
    for (const [name, { from }] of Object.entries(parameters)) {
      if (from === undefined) continue;
      const targets = index.get(from);
      if (targets === undefined) index.set(from, [{ node, name }]);
      else targets.push({ node, name });
    }
  }
  return index;
}
