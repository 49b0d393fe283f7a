/** A mistake, as somebody could make it: a small edit of one of the engine's sources. */
export interface Mutant {
  /** What is wrong with it. */
  name: string;
  /** In the engine's `src`. */
  file: string;
  /** Occurs there once. */
  search: string;
  replace: string;
}
