import type { RunPlan } from '@paceline/model';

/** The plan with every `any` replaced by a cloud: the first that is configured, which is the operator's preference. */
export function place(plan: RunPlan, clouds: readonly string[]): RunPlan {
  const [preferred = 'any'] = clouds;
  const nodes = Object.entries(plan.nodes).map(([name, node]) => [name, node.cloud === 'any' ? { ...node, cloud: preferred } : node]);
  return { ...plan, nodes: Object.fromEntries(nodes) as RunPlan['nodes'] };
}
