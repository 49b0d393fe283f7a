import type { Instance } from '../run/instance.ts';
import { entryOf } from '../run/entry.ts';
import type { RunView } from '../run/run.ts';

/** What a written key stands for in a run. */
export type Location =
  | { scope: 'global'; key: string; name: string }
  | { scope: 'node'; key: string; node: string; name: string }
  | { scope: 'instance'; key: string; instance: Instance; name: string };

const keyPattern = /^(?:(?<owner>\w+(?:\.\d+)?):)?(?<name>\w[\w.-]*)$/;
const nodeLevel = new Set(['ids', 'multiplicity', 'max-provisioning-failures']);

/**
 * Finds what a key means, by SlipStream's grammar: `ss:x` is global, `node:x` the first instance's, but for what nodes have
 * themselves.
 * @returns undefined when the run has no such owner; whether the name is declared is another question.
 */
export function locate(run: RunView, written: string): Location | undefined {
  const match = keyPattern.exec(written)?.groups;
  if (match === undefined) return undefined;
  const { owner = 'ss', name = '' } = match;
  if (owner === 'ss') return { scope: 'global', key: `ss:${name}`, name };
  const instance = run.instances.get(owner);
  if (instance !== undefined) return { scope: 'instance', key: `${instance.name}:${name}`, instance, name };
  if (entryOf(run.plan.nodes, owner) === undefined) return undefined;
  if (nodeLevel.has(name)) return { scope: 'node', key: `${owner}:${name}`, node: owner, name };
  const first = run.instances.get(`${owner}.1`);
  return first && { scope: 'instance', key: `${first.name}:${name}`, instance: first, name };
}
