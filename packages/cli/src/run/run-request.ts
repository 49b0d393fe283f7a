import type { Client, RunRequest } from '@paceline/api';
import { checkWiring, formatDiagnostic, type KeepRunning, type ResolvedDeployment } from '@paceline/model';
import { budgetOf, durationOf, harmless, moduleOf, type ParameterOptions, requestParameters } from '@paceline/door';
import { say, type Shell } from '../shell.ts';

export interface RunOptions extends ParameterOptions {
  cloud?: string;
  budget?: string[];
  knownPrices?: boolean;
  name?: string;
  keepRunning?: KeepRunning;
  scalable?: boolean;
  timeout?: string;
  lifetime?: string;
  tag?: string[];
}

/** What is to be run, as `moduleOf`. What is dubious about it is told, and does not keep it from running. */
export async function moduleToRun(word: string, shell: Shell, client: () => Promise<Client>): Promise<ResolvedDeployment> {
  const { deployment, warnings } = await moduleOf(word, shell.cwd, client);
  for (const warning of [...warnings, ...checkWiring(deployment).problems]) say(shell, harmless(formatDiagnostic(warning)));
  return deployment;
}

/** The request that the options of a command line mean. @throws PACELINE_REQUEST_INVALID */
export async function runRequestOf(deployment: ResolvedDeployment, options: RunOptions, cwd: string): Promise<RunRequest> {
  const { cloud, name, keepRunning, scalable, tag = [] } = options;
  const budget = budgetOf('--budget', options.budget ?? [], options.knownPrices);
  return {
    deployment,
    parameters: await requestParameters(options, cwd),
    tags: tag,
    ...(cloud === undefined ? {} : { cloud }),
    ...(budget === undefined ? {} : { budget }),
    ...(name === undefined ? {} : { name }),
    ...(keepRunning === undefined ? {} : { keepRunning }),
    ...(scalable === undefined ? {} : { scalable }),
    ...(options.timeout === undefined ? {} : { timeoutMs: durationOf('--timeout', options.timeout) }),
    ...(options.lifetime === undefined ? {} : { lifetimeMs: durationOf('--lifetime', options.lifetime) }),
  };
}
