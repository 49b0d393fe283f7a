import type { RunRequest } from '@paceline/api';
import { budgetOf } from '@paceline/door';
import { keepRunningPolicies, type Budget, type KeepRunning, type ResolvedDeployment } from '@paceline/model';
import type { Inputs } from '../runner/inputs.ts';
import type { CommandOutcome } from '../runner/state.ts';

/** The inputs by which every action finds its server. */
export const connectionInputs = ['server', 'server-token', 'token'] as const;

/** The inputs of `deploy`; `run` has some more. A test compares them with action.yml. */
export const deployInputs = [
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
  'artifact',
  'comment',
  'environment',
  ...connectionInputs,
] as const;
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
export const runInputs = [...deployInputs, 'command', 'working-directory'] as const;

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
  keepRunning: KeepRunning;
  scalable: boolean;
  budget: Budget | undefined;
  project: string | undefined;
  tags: string[];
  reports: string;
  artifact: string;
  comment: boolean;
  environment: string | undefined;
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
    keepRunning: inputs.choice('keep-running', keepRunningPolicies, 'never'),
    scalable: inputs.flag('scalable'),
    budget: budgetOf("The input 'budget'", inputs.list('budget'), inputs.flag('known-prices')),
    project: inputs.text('project'),
    tags: inputs.list('tags'),
    reports: inputs.text('reports') ?? 'paceline-reports',
    artifact: inputs.text('artifact') ?? 'paceline-reports',
    comment: inputs.flag('comment'),
    environment: inputs.text('environment'),
  };
}

/** The request for the run. @param tags what it is tagged with beside what the step says */
export function requestOf(id: string, deployment: ResolvedDeployment, options: DeployOptions, tags: readonly string[]): RunRequest {
  const { parameters, cloud, name, timeoutMs, lifetimeMs, keepRunning, scalable, budget, project } = options;
  return {
    id,
    deployment,
    parameters,
    tags: [...tags, ...options.tags],
    keepRunning: untilPost(keepRunning),
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

/** Whether the machines outlive the job. Of what was cut short nobody knows whether it would have succeeded. */
export function isKept(keepRunning: KeepRunning, outcome: CommandOutcome): boolean {
  if (outcome === 'cut') return keepRunning === 'always';
  return keepRunning === 'always' || keepRunning === (outcome === 'failed' ? 'on-error' : 'on-success');
}
