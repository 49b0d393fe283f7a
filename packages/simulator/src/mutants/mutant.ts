import type { FaultKind } from '../faults/kinds.ts';

/** One edit of a file of the engine. */
export interface Edit {
  /** In `packages/engine/src`. */
  file: string;
  /** What is there, once. */
  search: string;
  replace: string;
}

/** A mistake, made on purpose. */
export interface Mutant extends Edit {
  name: string;
  /** What would catch the mistake before it does any harm: it is taken away as well. */
  also?: Edit;
  /** It makes no difference without these: only seeds that have all of them are tried. */
  needs?: readonly FaultKind[];
}
