import { warning } from '@actions/core';
import type { Client } from '@paceline/api';
import { harmless, moduleOf } from '@paceline/door';
import { checkWiring, formatDiagnostic, PacelineError, type ResolvedDeployment } from '@paceline/model';
import type { Inputs } from '../runner/inputs.ts';
import type { Job } from '../runner/job.ts';
import type { Session } from '../session/session.ts';

export interface ModulePorts {
  inputs: Inputs;
  job: Job;
  /** Asked for published modules only. */
  open: () => Promise<Session>;
}

/**
 * The module that an input names: a file of the workspace, or a published one. What is dubious about it is a warning at its place.
 * @throws PACELINE_MODULE_INVALID, PACELINE_MODULE_NOT_FOUND, PACELINE_NOT_FOUND, PACELINE_REQUEST_INVALID without a server to ask
 */
export async function moduleFor(word: string, { inputs, job, open }: ModulePorts): Promise<ResolvedDeployment> {
  const client = async (): Promise<Client> => {
    if (inputs.text('server') !== undefined) return (await open()).client;
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'There is no server to ask for published modules: an engine in the job has none', {
      hint: `Name one by the input 'server', or write '${word}' as the path of a file, with './' before it.`,
    });
  };
  const { deployment, warnings } = await moduleOf(word, job.workspace, client);
  for (const problem of [...warnings, ...checkWiring(deployment).problems])
    warning(harmless(formatDiagnostic(problem)), { title: 'Paceline', file: problem.file, startLine: problem.line });
  return deployment;
}

/** Asked again, it gives the same. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
