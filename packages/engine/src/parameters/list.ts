import type { ParameterView } from '@paceline/api';
import type { RunView } from '../run/run.ts';
import { readParameter } from './read.ts';
import { globalValues, instanceValues, nodeValues, storedGlobalNames, storedInstanceNames } from './system.ts';

/** Every parameter of a run, for people: secrets masked. Global ones first, then by node and instance. */
export function listParameters(run: RunView): ParameterView[] {
  const keys = names(globalValues, storedGlobalNames, run.plan.globals).map((name) => `ss:${name}`);
  for (const node of Object.keys(run.plan.nodes)) {
    if (run.plan.category === 'Deployment') keys.push(...Object.keys(nodeValues).map((name) => `${node}:${name}`));
    const own = names(instanceValues, storedInstanceNames, run.plan.nodes[node]?.parameters ?? {});
    for (const instance of run.instances.values()) {
      if (instance.node === node) keys.push(...own.map((name) => `${instance.name}:${name}`));
    }
  }
  return keys.flatMap((key) => view(run, key));
}

function view(run: RunView, key: string): ParameterView[] {
  const single = run.plan.category === 'Image' && /:(nodename|id)$/.test(key);
  if (single) return [];
  const { value, secret } = readParameter(run, key);
  return [{ key, value: value === undefined ? null : secret ? '***' : value, secret }];
}

function names(derived: Record<string, unknown>, stored: ReadonlySet<string>, declared: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(declared), ...Object.keys(derived), ...stored])];
}
