import { parseCloudChoice, type PlannedNode, type RunPlan } from '@paceline/model';

/** The plan with every choice made: the first cloud of a node, those that are tried after it, or the shares of several. */
export function place(plan: RunPlan, clouds: readonly string[]): RunPlan {
  const nodes = Object.entries(plan.nodes).map(([name, node]) => [name, { ...node, ...placed(node.cloud, clouds) }]);
  return { ...plan, nodes: Object.fromEntries(nodes) as RunPlan['nodes'] };
}

function placed(cloud: string, clouds: readonly string[]): Pick<PlannedNode, 'cloud' | 'elsewhere' | 'shares'> {
  const choice = parseCloudChoice(cloud, clouds);
  if (choice === undefined) return { cloud };
  if (choice.kind === 'shares') return { cloud: choice.shares[0]?.cloud ?? cloud, shares: choice.shares };
  const [first = cloud, ...elsewhere] = choice.clouds;
  return { cloud: first, ...(elsewhere.length > 0 && { elsewhere }) };
}
