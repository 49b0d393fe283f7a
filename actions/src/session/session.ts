import type { Client } from '@paceline/api';
import type { Inputs } from '../runner/inputs.ts';
import { ownerTagOf, stateOf, type Job } from '../runner/job.ts';
import { openEmbedded } from './embedded.ts';
import { openServer } from './server.ts';

/** A server to talk to: the one that is named, or an engine of this job's own. */
export interface Session {
  readonly client: Client;
  /** Whether the engine is one of this job's own. */
  readonly embedded: boolean;
  /** A token of the server that is good now; it is kept out of the log. */
  token(): Promise<string>;
  /** Ends an engine of one's own; what still runs is no longer served. */
  close(): Promise<void>;
}

export interface SessionOptions {
  inputs: Inputs;
  job: Job;
  run: string;
  /** The file of clouds; undefined when it was told before. */
  cloudsFile?: string | null;
  /**
   * Makes an engine of the job's own that is there already start anew on its store. It then has the credentials that the job has now,
   * for those that it began with may be good no more, and nothing that was asked of it before will be carried out later.
   */
  afresh?: boolean;
}

/** @throws PACELINE_UNREACHABLE, PACELINE_UNAUTHENTICATED, PACELINE_FORBIDDEN */
export function openSession({ inputs, job, run, cloudsFile, afresh = false }: SessionOptions): Promise<Session> {
  const url = inputs.text('server');
  if (url !== undefined) return openServer({ url, token: inputs.text('server-token'), job });
  return openEmbedded({ state: stateOf(job, run), cloudsFile, ownerTag: ownerTagOf(job), afresh });
}
