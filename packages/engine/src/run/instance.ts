import type { OpResult } from '@paceline/api/agent';
import type { PlannedBuiltImage, RunPlan } from '@paceline/model';
import type { Alteration, Disk, Size } from './scaling.ts';

/** What the engine has done, or means to do, with an instance's machine. */
export type MachineStatus = 'wanted' | 'intended' | 'launched' | 'terminating' | 'gone';

/** The launch ledger's entry for one instance. An intent is stored before the cloud is asked. */
export interface MachineEntry {
  status: MachineStatus;
  cloud: string;
  /** The same for all machines of one launch call, and for every repetition of it. */
  token: string;
  /** The cloud's name for the machine, once known. */
  id: string | null;
  address: string | null;
  login: string | null;
  /** The last thing the cloud said of it. */
  cloudState: string;
  launchedAt: number | null;
  /** When the cloud said that it is gone. */
  endedAt: number | null;
  /** Failed calls in a row, and when the next one may be made. */
  attempts: number;
  retryAt: number;
  fault: string | null;
  /** What it has been given instead of what its image asks for. */
  size: Size | null;
  /** The image that was made of it, in a run that is there for that. */
  madeImage: string | null;
  /** What it boots after all, when its cloud turned out not to have the image that was built for its node: an ancestor's, or none. */
  instead: { built: PlannedBuiltImage | null } | null;
  /** What it was given beside the disk that it boots from. */
  disks: readonly Disk[];
  /** What the cloud is to change of it. */
  wanted: Alteration | null;
}

export interface Refusal {
  /** The number of the op. */
  id: number;
  result: Extract<OpResult, { status: 'error' }>;
}

export interface Instance {
  readonly node: string;
  readonly index: number;
  /** `apache.1`, or `machine` in the run of a single image. */
  readonly name: string;
  machine: MachineEntry;
  /** SHA-256 of the agent's key, once it has joined: from then on the one-time secret is spent. */
  keyHash: string | null;
  joinedAt: number | null;
  bootId: string | null;
  /** The agent has said that the SSH server uses the host key which it got when it joined. */
  tookHostKey: boolean;
  /** The last numbered op that was carried out. */
  lastOp: number;
  /** Those of the last batch of ops that were refused, for an answer that was lost. */
  refusals: Refusal[];
  /** What is stored of the events that it has made, about, in characters. */
  told: number;
  /** How often somebody was refused who tried to join as this instance, as far as it is told. */
  alarms: number;
  /** The newest `seq` that the instance has completed. */
  completed: number;
  /** Its own abort flag. */
  abort: string | null;
  statecustom: string;
  /** The step under way, for people to see. */
  step: string | null;
  /** It failed before it could join and was tolerated, or was scaled away: no barrier waits for it. */
  dropped: boolean;
  /** It is scaled away: it is no member of its node any more, and does its last work if it is not dropped yet. */
  removing: boolean;
}

/** The image that was built for it, if its machine boots one. */
export function builtFor({ nodes }: Pick<RunPlan, 'nodes'>, { node, machine }: Instance): PlannedBuiltImage | undefined {
  return machine.instead === null ? nodes[node]?.built : (machine.instead.built ?? undefined);
}

export function hasJoined(instance: Instance): boolean {
  return instance.keyHash !== null;
}

/** Whether it takes part in its node: it has not been given up, and is not scaled away. */
export function isMember({ dropped, removing }: Instance): boolean {
  return !dropped && !removing;
}
