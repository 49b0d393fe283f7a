import { PacelineError } from '../errors/paceline-error.ts';
import { nodeLevelNames } from './system.ts';

/** The node of a run of a single image; its only instance has the same name, without a number. */
export const machineNode = 'machine';

/** A parsed parameter key. `own` is a bare name: which machine it belongs to depends on who says it. */
export type ParameterKey =
  | { kind: 'global'; name: string }
  | { kind: 'machine'; name: string }
  | { kind: 'orchestrator'; node: string; name: string }
  | { kind: 'instance'; node: string; index: number; name: string }
  | { kind: 'node'; node: string; name: string }
  | { kind: 'own'; name: string };

/** An instance of a run: `client.2` is `{ node: 'client', index: 2 }`. */
export interface InstanceRef {
  node: string;
  index: number;
}

const keyPattern = /^(?:(?<scope>ss|machine|orchestrator(?:-[\w.-]+)?)|(?<node>\w+?)(?:\.(?<index>[1-9]\d{0,8}))?)?$/;
const namePattern = /^\w[\w.-]*$/;

/**
 * Reads a key of the grammar `[ss: | machine: | orchestrator[-cloud]: | node: | node.N:] name`.
 * @returns undefined when the text is not a key
 */
export function parseKey(text: string): ParameterKey | undefined {
  const colon = text.indexOf(':');
  const name = text.slice(colon + 1);
  if (!namePattern.test(name)) return undefined;
  if (colon === -1) return { kind: 'own', name };
  const { scope, node, index } = keyPattern.exec(text.slice(0, colon))?.groups ?? {};
  if (scope === 'ss') return { kind: 'global', name };
  if (scope === 'machine') return { kind: 'machine', name };
  if (scope !== undefined) return { kind: 'orchestrator', node: scope, name };
  if (node === undefined || /^(ss|machine|orchestrator.*)$/.test(node)) return undefined;
  return index === undefined ? { kind: 'node', node, name } : { kind: 'instance', node, index: Number(index), name };
}

/** The text of a key; `parseKey(formatKey(key))` is `key` again. */
export function formatKey(key: ParameterKey): string {
  if (key.kind === 'own') return key.name;
  if (key.kind === 'global') return `ss:${key.name}`;
  if (key.kind === 'machine') return `machine:${key.name}`;
  if (key.kind === 'instance') return `${key.node}.${key.index}:${key.name}`;
  return `${key.node}:${key.name}`;
}

/** The name of an instance: `client.2`, or `machine` in the run of a single image. */
export function instanceName({ node, index }: InstanceRef): string {
  return node === machineNode ? machineNode : `${node}.${index}`;
}

/**
 * The full key that a script on `me` means by what it wrote: `ready` is `client.2:ready`, `apache:port` is
 * `apache.1:port`, `ids` is `client:ids`; full keys stay as they are.
 * @throws PacelineError PACELINE_PARAMETER_UNKNOWN when the text is not a key
 */
export function qualifyKey(written: string, me: InstanceRef): string {
  const key = parseKey(written);
  if (key === undefined) {
    throw new PacelineError('PACELINE_PARAMETER_UNKNOWN', `Unknown key ${written}`, {
      hint: 'A key is NAME, NODE:NAME, NODE.N:NAME or ss:NAME; names have letters, digits, `_`, `.` and `-`.',
    });
  }
  if (key.kind === 'own') {
    const owner = nodeLevelNames.has(key.name) ? me.node : instanceName(me);
    return `${owner}:${key.name}`;
  }
  if (key.kind === 'node' && !nodeLevelNames.has(key.name)) {
    return formatKey({ kind: 'instance', node: key.node, index: 1, name: key.name });
  }
  return written;
}
