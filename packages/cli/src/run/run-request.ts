import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { RunRequest } from '@paceline/api';
import { checkWiring, diskFiles, formatDiagnostic, loadModule, type KeepRunning, type ResolvedDeployment } from '@paceline/model';
import { durationOf, harmless, type ParameterOptions, requestParameters } from '@paceline/door';
import { say, type Shell } from '../shell.ts';

export interface RunOptions extends ParameterOptions {
  cloud?: string;
  name?: string;
  keepRunning?: KeepRunning;
  scalable?: boolean;
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

const published = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)*(@(\d+|sha256:[0-9a-f]{64}))?$/;

/** Whether a word names a published module: it looks like one, and there is no file or folder of that name. */
export async function namesPublished(word: string, cwd: string): Promise<boolean> {
  if (!published.test(word) || /\.ya?ml$/.test(word)) return false;
  return stat(resolve(cwd, word)).then(
    () => false,
    () => true,
  );
}

/** The request that the options of a command line mean. @throws PACELINE_REQUEST_INVALID */
export async function runRequestOf(deployment: ResolvedDeployment, options: RunOptions, cwd: string): Promise<RunRequest> {
  const { cloud, name, keepRunning, scalable, tag = [] } = options;
  return {
    deployment,
    parameters: await requestParameters(options, cwd),
    tags: tag,
    ...(cloud === undefined ? {} : { cloud }),
    ...(name === undefined ? {} : { name }),
    ...(keepRunning === undefined ? {} : { keepRunning }),
    ...(scalable === undefined ? {} : { scalable }),
    ...(options.timeout === undefined ? {} : { timeoutMs: durationOf('--timeout', options.timeout) }),
    ...(options.lifetime === undefined ? {} : { lifetimeMs: durationOf('--lifetime', options.lifetime) }),
  };
}
