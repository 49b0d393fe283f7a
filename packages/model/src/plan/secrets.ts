import { parseKey } from '../parameters/key.ts';
import type { PlannedNode } from '../resolved/run-plan.ts';

/** What follows a secret is a secret: marks the targets of mappings whose source is one, through any number of steps. */
export function spreadSecrets(nodes: Record<string, PlannedNode>): Record<string, PlannedNode> {
  const isSecret = (from: string, seen: ReadonlySet<string>): boolean => {
    const key = parseKey(from);
    if (key?.kind !== 'instance' || seen.has(from)) return false;
    const source = nodes[key.node]?.parameters[key.name];
    return source !== undefined && (source.secret || (source.from !== undefined && isSecret(source.from, new Set([...seen, from]))));
  };
  return Object.fromEntries(
    Object.entries(nodes).map(([name, node]) => [
      name,
      {
        ...node,
        parameters: Object.fromEntries(
          Object.entries(node.parameters).map(([parameter, planned]) => [
            parameter,
            planned.from !== undefined && isSecret(planned.from, new Set()) ? { ...planned, secret: true } : planned,
          ]),
        ),
      },
    ]),
  );
}
