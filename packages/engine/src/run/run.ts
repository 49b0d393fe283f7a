import type { RunState } from '@paceline/api/agent';
import type { RunPlan } from '@paceline/model';
import type { Instance } from './instance.ts';
import type { Scaling } from './scaling.ts';

/** Where a run is heading once its machines are gone. */
export type Outcome = 'Done' | 'Aborted' | 'Cancelled';

export interface Abort {
  reason: string;
  /** The parameter that was set: `apache.1:abort`, or `ss:abort`. */
  source: string;
  /** Milliseconds since the epoch, as all times in a run. */
  at: number;
}

/** The facts of a run that are stored in its row; everything else is in rows of their own. */
export interface RunFacts {
  state: RunState;
  /** Grows by one with every state: the number of the work that instances have to complete. */
  seq: number;
  stateSince: number;
  abort: Abort | null;
  /** The abort came while machines were being provisioned: recipes are skipped. */
  recovery: boolean;
  /** Set once somebody or a policy has decided that the machines go. */
  outcome: Outcome | null;
  /** In which account its machines are, by the name of the cloud, as its connector calls it; stored before the first launch there. */
  accounts: Readonly<Record<string, string>>;
  /** The clouds have been asked after the last machine was gone, and know of nothing that is this run's. */
  swept: boolean;
  expiresAt: number;
  endedAt: number | null;
  /** Set from the request until the run is ready again. */
  scaling: Scaling | null;
  /** What the last requests made, for those whose answers were lost: the newest first. */
  scalings: readonly Pick<Scaling, 'id' | 'instances'>[];
  /** Machines have gone, and an abort kept the others from hearing of it. */
  untold: Scaling | null;
  /** Number of the newest event. */
  lastEvent: number;
}

export interface Parameter {
  value: string;
  secret: boolean;
}

/** One run as its owner holds it in memory. It changes only through `applyChange`, so that the store can follow. */
export interface Run {
  readonly id: string;
  /** The name that the user gave, or the deployment's. */
  readonly name: string;
  readonly plan: RunPlan;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Whose members may see it, and do with it what their roles allow. */
  readonly project: string;
  readonly tags: string[];
  /** How often the run has been stored. A commit on another revision than the stored one fails: somebody else has the run now. */
  revision: number;
  /** Since when there is somebody again who hears its machines, in milliseconds since the epoch. It is not stored. */
  drivenSince: number;
  facts: RunFacts;
  /** By `node.N`, in the order of the plan. */
  readonly instances: Map<string, Instance>;
  /** The values that were set; what is only declared is not here. */
  readonly parameters: Map<string, Parameter>;
}

/** A run to read from. Its parameters may be an earlier state of them. */
export type RunView = Omit<Run, 'parameters'> & { readonly parameters: { get(key: string): Parameter | undefined } };

export const endStates: ReadonlySet<RunState> = new Set<RunState>(['Done', 'Aborted', 'Cancelled']);

export function hasEnded(run: Pick<RunView, 'facts'>): boolean {
  return endStates.has(run.facts.state);
}
