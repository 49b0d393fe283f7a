import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client, RunRequest } from '@paceline/api';
import {
  checkWiring,
  diskFiles,
  formatDiagnostic,
  loadModule,
  moduleReference,
  type KeepRunning,
  type LoadedModule,
  type PublishedModules,
  type ResolvedDeployment,
} from '@paceline/model';
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
 * The module of a file, or a published one.
 * @param client for published modules; not asked for when there are none
 * @throws PACELINE_MODULE_INVALID, PACELINE_MODULE_NOT_FOUND, PACELINE_NOT_FOUND
 */
export async function moduleOf(
  word: string,
  cwd: string,
  client: () => Promise<Client>,
): Promise<Pick<LoadedModule, 'deployment' | 'warnings'>> {
  if (await namesPublished(word, cwd)) return { deployment: (await (await client()).modules.get(word)).deployment, warnings: [] };
  return loadModule(word, { fs: diskFiles(), cwd, published: publishedBy(client) });
}

/** What is to be run, as {@link moduleOf}. What is dubious about it is told, and does not keep it from running. */
export async function moduleToRun(word: string, shell: Shell, client: () => Promise<Client>): Promise<ResolvedDeployment> {
  const { deployment, warnings } = await moduleOf(word, shell.cwd, client);
  for (const warning of [...warnings, ...checkWiring(deployment).problems]) say(shell, harmless(formatDiagnostic(warning)));
  return deployment;
}

/** The published modules that files refer to. */
export function publishedBy(client: () => Promise<Client>): PublishedModules {
  return { get: async (reference) => (await client()).modules.get(reference) };
}

/** Whether a word names a published module: it looks like one, and there is no file or folder of that name. */
export async function namesPublished(word: string, cwd: string): Promise<boolean> {
  if (moduleReference(word) === undefined || /\.ya?ml$/.test(word)) return false;
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
