import { parseKey } from '../parameters/key.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import { callsOf, isSet } from './flow.ts';
import type { ParameterFacts } from './parameter-facts.ts';
import type { RecipeScript } from './recipes.ts';

/** A way by which a value goes from one node to another; nodes, not instances. */
export interface WiringEdge {
  from: string;
  to: string;
  /** Name of the parameter at its source. */
  parameter: string;
  /** `mapping`: by the deployment; `read`: a script reads the other node; `global`: through `ss:NAME`. */
  via: 'mapping' | 'read' | 'global';
}

/** Every way between two different nodes, once. */
export function wiringEdges(
  { nodes }: ResolvedDeployment,
  recipes: ReadonlyMap<string, readonly RecipeScript[]>,
  facts: ParameterFacts,
): WiringEdge[] {
  const edges = new Map<string, WiringEdge>();
  const add = (edge: WiringEdge): void => {
    if (edge.from !== edge.to) edges.set(`${edge.via} ${edge.from} ${edge.to} ${edge.parameter}`, edge);
  };
  for (const [to, node] of Object.entries(nodes)) {
    for (const input of Object.values(node.parameters)) {
      const key = 'from' in input ? parseKey(input.from) : undefined;
      if (key?.kind === 'node' || key?.kind === 'instance') add({ from: key.node, to, parameter: key.name, via: 'mapping' });
    }
  }
  const setters = new Map<string, Set<string>>();
  const readers = new Map<string, Set<string>>();
  for (const [node, scripts] of recipes) {
    for (const call of scripts.flatMap(({ parsed }) => callsOf(parsed.flow))) {
      if (call.possible || facts.wrong(call, { node, index: 1 }) !== undefined) continue;
      const key = parseKey(call.node === undefined ? call.key : `${call.node}:${call.key}`);
      const sets = isSet(call);
      if (key?.kind === 'global') {
        const users = sets ? setters : readers;
        users.set(key.name, (users.get(key.name) ?? new Set()).add(node));
      } else if ((key?.kind === 'node' || key?.kind === 'instance') && Object.hasOwn(nodes, key.node)) {
        add(
          sets
            ? { from: node, to: key.node, parameter: key.name, via: 'read' }
            : { from: key.node, to: node, parameter: key.name, via: 'read' },
        );
      }
    }
  }
  for (const [parameter, froms] of setters) {
    for (const from of froms) for (const to of readers.get(parameter) ?? []) add({ from, to, parameter, via: 'global' });
  }
  return [...edges.values()];
}
