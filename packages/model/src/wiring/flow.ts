import type { Range } from '../source/source-text.ts';

/** The commands that touch a parameter. */
export const commandNames = ['ss-get', 'ss-get-all', 'ss-wait', 'ss-set', 'ss-random'] as const;
export type CommandName = (typeof commandNames)[number];

/**
 * `none`: it does not, the call is in straight-line code and waits for ever, or its failure is that of the script; `timeout`: the
 * same, but the script goes on when the time is over; `other`: in another branch, by a short timeout, or who knows.
 */
export type Escape = 'none' | 'timeout' | 'other';

/** A call of an `ss-*` command that touches a parameter, as far as it can be read from the text of a script. */
export interface Call {
  command: CommandName;
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
  /** How a script that ends well gets past this without the value. */
  escape: Escape;
  /** Where the call is written. */
  range: Range;
}

/**
 * What may be set by something that cannot be read: `own` parameters of the machine or the run, or `any`, those of other machines,
 * too; `hardly-…` by other programs, which seldom set any.
 */
export type UnreadSets = 'hardly-own' | 'hardly-any' | 'own' | 'any';

/** The calls of a script in the order in which they happen. */
export type Flow =
  | { kind: 'call'; call: Call }
  /** Something that cannot be read. */
  | { kind: 'unread'; sets: UnreadSets }
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

/** Gives parameters values. */
export function isSet({ command }: Call): boolean {
  return command === 'ss-set' || command === 'ss-random';
}

/** Every call in a flow, in the order of the text. */
export function callsOf(flow: Flow): Call[] {
  return leavesOf(flow).flatMap((leaf) => (leaf.kind === 'call' ? [leaf.call] : []));
}

/** What the parts of a flow that cannot be read may set. */
export function unreadIn(flow: Flow): UnreadSets[] {
  return leavesOf(flow).flatMap((leaf) => (leaf.kind === 'unread' ? [leaf.sets] : []));
}

function leavesOf(flow: Flow): Extract<Flow, { kind: 'call' | 'unread' }>[] {
  switch (flow.kind) {
    case 'call':
    case 'unread':
      return [flow];
    case 'sequence':
      return flow.steps.flatMap(leavesOf);
    case 'together':
      return flow.parts.flatMap(leavesOf);
    case 'choice':
      return flow.branches.flatMap(leavesOf);
    case 'background':
      return leavesOf(flow.body);
  }
}
