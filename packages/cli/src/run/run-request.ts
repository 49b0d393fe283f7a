import type { RunRequest } from '@paceline/api';
import {
  checkWiring,
  diskFiles,
  formatDiagnostic,
  loadModule,
  PacelineError,
  parseDuration,
  type KeepRunning,
  type ResolvedDeployment,
} from '@paceline/model';
import { say, type Shell } from '../shell.ts';
import { harmless } from '../view/harmless.ts';
import { requestParameters, type ParameterOptions } from './request-parameters.ts';

export interface RunOptions extends ParameterOptions {
  cloud?: string;
  name?: string;
  keepRunning?: KeepRunning;
  timeout?: string;
  lifetime?: string;
  tag?: string[];
}

/**
 * Loads what is to be run. What is dubious about it is told, and does not keep it from running.
 * @throws PACELINE_MODULE_INVALID, PACELINE_MODULE_NOT_FOUND
 */
export async function moduleToRun(file: string, shell: Shell): Promise<ResolvedDeployment> {
  const { deployment, warnings } = await loadModule(file, { fs: diskFiles(), cwd: shell.cwd });
  for (const warning of [...warnings, ...checkWiring(deployment).problems]) say(shell, harmless(formatDiagnostic(warning)));
  return deployment;
}

/** The request that the options of a command line mean. @throws PACELINE_REQUEST_INVALID */
export async function runRequestOf(deployment: ResolvedDeployment, options: RunOptions, cwd: string): Promise<RunRequest> {
  const { cloud, name, keepRunning, tag = [] } = options;
  return {
    deployment,
    parameters: await requestParameters(options, cwd),
    tags: tag,
    ...(cloud === undefined ? {} : { cloud }),
    ...(name === undefined ? {} : { name }),
    ...(keepRunning === undefined ? {} : { keepRunning }),
    ...(options.timeout === undefined ? {} : { timeoutMs: duration('--timeout', options.timeout) }),
    ...(options.lifetime === undefined ? {} : { lifetimeMs: duration('--lifetime', options.lifetime) }),
  };
}

function duration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined)
    throw new PacelineError('PACELINE_REQUEST_INVALID', `${option}: '${text}' is not a duration`, {
      hint: 'Write it as 90s, 30m or 1h30m.',
    });
  return ms;
}
