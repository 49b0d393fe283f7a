import type { Range } from '../source/source-text.ts';

/** A call of an `ss-*` command that touches a parameter, as far as it can be read from the text of a script. */
export interface Call {
  command: 'ss-get' | 'ss-set' | 'ss-get-all' | 'ss-random';
  /** The key as it is written; of `ss-get-all`, the name alone. */
  key: string;
  /** Of `ss-get-all`: the node. */
  node?: string;
  /** Waits until the value is set (or a timeout ends the script). */
  blocking: boolean;
  /** May be skipped: in a branch, a loop body, after `&&` or `||`. */
  conditional: boolean;
  /** The script goes on when it fails: `ss-get x || …`, `if ss-get x`. */
  tolerant: boolean;
  /** In a text that may be run later (a here-document, a trap): counts as a chance that the value is set. */
  possible: boolean;
  /** Where the call is written. */
  range: Range;
}

/** The calls of a script in the order in which they happen. */
export type Flow =
  | { kind: 'call'; call: Call }
  /** One after the other. */
  | { kind: 'sequence'; steps: readonly Flow[] }
  /** At the same time, and all must end: a pipeline. */
  | { kind: 'together'; parts: readonly Flow[] }
  /** One of them: the branches of an `if` with `else`, of a `case`. */
  | { kind: 'choice'; branches: readonly Flow[] }
  /** In the background; what follows does not wait. */
  | { kind: 'background'; body: Flow };

export const nothing: Flow = { kind: 'sequence', steps: [] };

/** A sequence without empty steps. */
export function sequence(steps: readonly Flow[]): Flow {
  const kept = steps.filter((step) => step !== nothing);
  if (kept.length === 0) return nothing;
  return kept.length === 1 && kept[0] !== undefined ? kept[0] : { kind: 'sequence', steps: kept };
}

/** One of several flows; a single one is just that one. */
export function choice(branches: readonly Flow[]): Flow {
  if (branches.every((branch) => branch === nothing)) return nothing;
  return branches.length === 1 && branches[0] !== undefined ? branches[0] : { kind: 'choice', branches };
}

/** Every call in a flow, in the order of the text. */
export function callsOf(flow: Flow): Call[] {
  switch (flow.kind) {
    case 'call':
      return [flow.call];
    case 'sequence':
      return flow.steps.flatMap(callsOf);
    case 'together':
      return flow.parts.flatMap(callsOf);
    case 'choice':
      return flow.branches.flatMap(callsOf);
    case 'background':
      return callsOf(flow.body);
  }
}
