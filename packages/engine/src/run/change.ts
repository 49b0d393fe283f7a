import type { EventBody } from './event.ts';
import type { Instance } from './instance.ts';
import type { RunFacts } from './run.ts';

/** Everything that can happen to a run's data. Deciding yields changes; applying them is one function; storing them another. */
export type Change =
  | { kind: 'run'; patch: Partial<RunFacts> }
  | { kind: 'instance'; name: string; patch: Partial<Mutable<Instance>> }
  | { kind: 'parameter'; key: string; value: string | null; secret: boolean }
  | { kind: 'event'; at: number; body: EventBody };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
