import { warning } from '@actions/core';
import { toError } from '@paceline/model';
import type { RunDetail } from '@paceline/api';
import type { CommentText } from '../github/comment.ts';
import type { DeploymentState } from '../github/deployment.ts';
import type { Job } from '../runner/job.ts';
import { keepDeployment } from '../runner/state.ts';
import type { Settings } from './settings.ts';

export interface Messenger {
  /** Tells GitHub that a deployment to the environment begins, if there is one. @returns GitHub's number of it */
  begin(environment: string | undefined): Promise<number | undefined>;
  deployment(id: number | undefined, state: DeploymentState, run?: RunDetail): Promise<void>;
  comment(run: string, text: CommentText): Promise<void>;
}

export interface MessengerOptions {
  token: string | undefined;
  settings: Pick<Settings, 'comment' | 'topic'>;
  job: Job;
}

/**
 * Tells people on GitHub what becomes of a run, where they have asked for it. What cannot be told is a warning: a token that may
 * not write must not bring a deployment down.
 */
export function messenger({ token, settings, job }: MessengerOptions): Messenger {
  const attempt = async (what: string, wanted: boolean, act: (token: string) => Promise<void>): Promise<void> => {
    if (!wanted) return;
    if (token === undefined) return warning(`${what}: there is no token`);
    await act(token).catch((error: unknown) => {
      const hint = job.fork ? ' Workflows of pull requests from forks may not write.' : ' The job may lack a permission for it.';
      warning(`${what}: ${toError(error).message}.${hint}`);
    });
  };
  return {
    async begin(environment) {
      let id: number | undefined;
      await attempt('The deployment is not shown on GitHub', environment !== undefined, async (given) => {
        const { openDeployment, tellDeployment } = await import('../github/deployment.ts');
        id = await openDeployment({ token: given, job, environment: environment ?? '' });
        keepDeployment(id);
        await tellDeployment({ token: given, job }, id, 'in_progress');
      });
      return id;
    },
    deployment: (id, state, run) =>
      attempt('The state of the deployment is not shown on GitHub', id !== undefined, async (given) => {
        const { tellDeployment } = await import('../github/deployment.ts');
        await tellDeployment({ token: given, job }, id ?? 0, state, run?.serviceUrl ?? undefined);
      }),
    comment: (run, text) =>
      attempt('There is no comment on the pull request', settings.comment, async (given) => {
        const { comment } = await import('../github/comment.ts');
        await comment({ token: given, job, topic: settings.topic, run, text });
      }),
  };
}
