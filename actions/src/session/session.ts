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
  /**
   * Has an engine of one's own start anew on its store with the credentials that the job has now. A server has its own.
   * @returns whether it does
   */
  renew(): Promise<boolean>;
  /** Ends an engine of one's own; what still runs is no longer served. */
  close(): Promise<void>;
}

/** How to get to a server. */
export interface Connection {
  /** Undefined for an engine in the job. */
  server: string | undefined;
  /** Undefined when the job logs in as what it is. */
  token: string | undefined;
}

export function connectionOf(inputs: Inputs): Connection {
  return { server: inputs.text('server'), token: inputs.text('server-token') };
}

export interface SessionOptions extends Connection {
  job: Job;
  run: string;
  /** The file of clouds; undefined when it was told before. */
  cloudsFile?: string | null;
}

/** @throws PACELINE_UNREACHABLE, PACELINE_UNAUTHENTICATED, PACELINE_FORBIDDEN */
export function openSession({ server, token, job, run, cloudsFile }: SessionOptions): Promise<Session> {
  if (server !== undefined) return openServer({ url: server, token, job });
  return openEmbedded({ state: stateOf(job, run), cloudsFile, ownerTag: ownerTagOf(job) });
}
