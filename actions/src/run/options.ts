import type { RunRequest } from '@paceline/api';
import { budgetOf } from '@paceline/door';
import { keepRunningPolicies, PacelineError, parseSize, type Budget, type KeepRunning, type ResolvedDeployment } from '@paceline/model';
import type { Inputs } from '../runner/inputs.ts';
import type { Settings } from './settings.ts';

/** The inputs by which every action finds its server. */
export const connectionInputs = ['server', 'server-token', 'token'] as const;

/** The inputs of `deploy` and `run`. A test compares them with action.yml. */
const runningInputs = [
  'deployment',
  'parameters',
  'parameters-file',
  'cloud',
  'clouds',
  'name',
  'wait-for',
  'timeout',
  'lifetime',
  'keep-running',
  'scalable',
  'budget',
  'known-prices',
  'project',
  'tags',
  'reports',
  'reports-limit',
  'artifact',
  'retention-days',
  'comment',
  'job-index',
  'environment',
  ...connectionInputs,
] as const;
export const deployInputs = [...runningInputs, 'job-status'] as const;
export const scaleInputs = [
  'run',
  'node',
  'change',
  'remove',
  'tolerate',
  'cpus',
  'memory',
  'attach-disk',
  'detach-disk',
  'ids',
  ...connectionInputs,
] as const;
export const buildInputs = ['module', 'cloud', 'project', ...connectionInputs] as const;
export const runInputs = [...runningInputs, 'command', 'working-directory'] as const;

export interface DeployOptions {
  deployment: string;
  parameters: Record<string, string>;
  /** More of them; `parameters` wins. */
  parametersFile: string | undefined;
  cloud: string | undefined;
  cloudsFile: string | undefined;
  name: string | undefined;
  waitFor: string;
  timeoutMs: number | undefined;
  lifetimeMs: number | undefined;
  scalable: boolean;
  budget: Budget | undefined;
  project: string | undefined;
  tags: string[];
  environment: string | undefined;
  /** What post has to know, too. */
  settings: Settings;
}

/** @throws PACELINE_REQUEST_INVALID */
export function deployOptions(inputs: Inputs): DeployOptions {
  return {
    deployment: inputs.text('deployment') ?? '.',
    parameters: inputs.parameters('parameters'),
    parametersFile: inputs.text('parameters-file'),
    cloud: inputs.text('cloud'),
    cloudsFile: inputs.text('clouds'),
    name: inputs.text('name'),
    waitFor: inputs.text('wait-for') ?? 'ready',
    timeoutMs: inputs.duration('timeout'),
    lifetimeMs: inputs.duration('lifetime'),
    scalable: inputs.flag('scalable'),
    budget: budgetOf("The input 'budget'", inputs.list('budget'), inputs.flag('known-prices')),
    project: inputs.text('project'),
    tags: inputs.list('tags'),
    environment: inputs.text('environment'),
    settings: settingsOf(inputs),
  };
}

function settingsOf(inputs: Inputs): Settings {
  const index = inputs.text('job-index') ?? '0';
  return {
    server: inputs.text('server'),
    keepRunning: inputs.choice('keep-running', keepRunningPolicies, 'never'),
    reports: inputs.text('reports') ?? 'paceline-reports',
    reportsLimit: bytesOf('reports-limit', inputs.text('reports-limit') ?? '1GiB'),
    artifact: inputs.text('artifact'),
    retentionDays: daysOf('retention-days', inputs.text('retention-days')),
    comment: inputs.flag('comment'),
    // The jobs of a matrix are told apart by their number.
    topic: `${inputs.text('name') ?? inputs.text('deployment') ?? '.'}${index === '0' ? '' : ` (${index})`}`,
  };
}

function bytesOf(input: string, text: string): number {
  const mebibytes = parseSize(text, 'MiB');
  if (mebibytes !== undefined) return mebibytes * 2 ** 20;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `The input '${input}': '${text}' is not a size`, {
    hint: 'Write it as 512MiB or 2GiB.',
  });
}

function daysOf(input: string, text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,3}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new PacelineError('PACELINE_REQUEST_INVALID', `The input '${input}': '${text}' is not a number of days`);
}

/** The request for the run. @param tags what it is tagged with beside what the step says */
export function requestOf(id: string, deployment: ResolvedDeployment, options: DeployOptions, tags: readonly string[]): RunRequest {
  const { parameters, cloud, name, timeoutMs, lifetimeMs, settings, scalable, budget, project } = options;
  return {
    id,
    deployment,
    parameters,
    tags: [...tags, ...options.tags],
    keepRunning: untilPost(settings.keepRunning),
    ...(scalable ? { scalable } : {}),
    ...(cloud === undefined ? {} : { cloud }),
    ...(name === undefined ? {} : { name }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
    ...(budget === undefined ? {} : { budget }),
    ...(project === undefined ? {} : { project }),
  };
}

/** Machines of a run that is ready stay until post, for the steps in between; those of a failed one only if they are to be kept then. */
function untilPost(keepRunning: KeepRunning): KeepRunning {
  return keepRunning === 'always' || keepRunning === 'on-error' ? 'always' : 'on-success';
}
