import type { PlannedNode, RunPlan } from '../resolved/run-plan.ts';

export interface TestNode {
  cloud: string;
  /** @default 1 */
  multiplicity?: number;
  cpus?: number;
}

/** A plan of nodes without recipes. */
export function planOf(nodes: Record<string, TestNode>, rest: Partial<RunPlan> = {}): RunPlan {
  return {
    category: 'Deployment',
    deployment: { name: 'x', module: 'x', digest: 'd' },
    nodes: Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, nodeOf(name, node)])),
    globals: {},
    keepRunning: 'always',
    timeoutMs: 1,
    lifetimeMs: 1,
    onStall: 'abort',
    ...rest,
  };
}

function nodeOf(name: string, { cloud, multiplicity = 1, cpus }: TestNode): PlannedNode {
  const resources = cpus === undefined ? {} : { cpus };
  const image = { name, module: name, layers: [], parameters: {}, clouds: {}, ports: [], digest: 'd', resources };
  return { image, cloud, multiplicity, maxProvisioningFailures: 0, parameters: {} };
}
