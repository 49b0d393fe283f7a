import { parseKey } from '../parameters/key.ts';
import { instanceLevelNames } from '../parameters/system.ts';
import type { PlannedNode, PlannedParameter } from '../resolved/run-plan.ts';
import type { Refuse } from './run-request.ts';

/** So many steps from a parameter to the value that it follows are more than anybody needs. */
const longestChain = 32;

/** Refuses mappings that lead nowhere or in a circle: a value could never come through them. */
export function checkMappings(nodes: Readonly<Record<string, PlannedNode>>, refuse: Refuse): void {
  for (const [node, { parameters }] of Object.entries(nodes)) {
    for (const [name, { from }] of Object.entries(parameters)) {
      const problem = from === undefined ? undefined : problemOf(nodes, from);
      if (problem !== undefined) refuse(`${node}:${name}`, `${node}:${name} follows \`${from}\`, ${problem}`);
    }
  }
}

function problemOf(nodes: Readonly<Record<string, PlannedNode>>, from: string): string | undefined {
  const chain: string[] = [];
  for (let key: string | undefined = from; key !== undefined;) {
    if (chain.includes(key)) return `which follows itself: ${[...chain, key].join(' ← ')}`;
    if (chain.push(key) > longestChain) return `which is more than ${longestChain} steps away from its value`;
    const source = sourceAt(nodes, key);
    if (source === undefined) return key === from ? 'which does not exist' : `and \`${key}\` does not exist`;
    key = source.from;
  }
  return undefined;
}

function sourceAt(nodes: Readonly<Record<string, PlannedNode>>, text: string): Pick<PlannedParameter, 'from'> | undefined {
  const key = parseKey(text);
  if (key?.kind !== 'instance' || !Object.hasOwn(nodes, key.node)) return undefined;
  const parameters = nodes[key.node]?.parameters ?? {};
  if (Object.hasOwn(parameters, key.name)) return parameters[key.name];
  return instanceLevelNames.has(key.name) ? {} : undefined;
}
