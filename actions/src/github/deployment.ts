import { getOctokit } from '@actions/github';
import type { Job } from '../runner/job.ts';

export type DeploymentState = 'in_progress' | 'success' | 'failure' | 'inactive';

export interface DeploymentOptions {
  token: string;
  job: Job;
  environment: string;
}

/** Tells GitHub of a deployment to an environment. @returns GitHub's number of it */
export async function openDeployment({ token, job, environment }: DeploymentOptions): Promise<number> {
  const [owner = '', repo = ''] = job.repository.split('/');
  const { data } = await getOctokit(token).rest.repos.createDeployment({
    owner,
    repo,
    ref: job.sha,
    environment,
    auto_merge: false,
    required_contexts: [],
    transient_environment: true,
    production_environment: false,
    description: 'Paceline',
  });
  if (!('id' in data)) throw new Error(data.message ?? 'GitHub makes no deployment of it');
  return data.id;
}

/** @param url where what was deployed can be reached */
export async function tellDeployment(
  { token, job }: Pick<DeploymentOptions, 'token' | 'job'>,
  id: number,
  state: DeploymentState,
  url?: string,
): Promise<void> {
  const [owner = '', repo = ''] = job.repository.split('/');
  await getOctokit(token).rest.repos.createDeploymentStatus({
    owner,
    repo,
    deployment_id: id,
    state,
    auto_inactive: true,
    log_url: `${job.serverUrl}/${job.repository}/actions/runs/${job.run}`,
    ...(url === undefined ? {} : { environment_url: url }),
  });
}
