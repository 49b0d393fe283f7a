import { getOctokit } from '@actions/github';
import { PacelineError } from '@paceline/model';

/**
 * Whether a workflow run, or this attempt of it, is over; one that GitHub does not know any more is.
 * @throws PACELINE_FORBIDDEN when the token does not show the workflow runs of the repository: then GitHub says of all that it does not
 * know them
 */
export async function isOver(token: string, repository: string, run: number, attempt: number): Promise<boolean> {
  const [owner = '', repo = ''] = repository.split('/');
  const { actions } = getOctokit(token).rest;
  try {
    const { data } = await actions.getWorkflowRunAttempt({ owner, repo, run_id: run, attempt_number: attempt });
    return data.status === 'completed';
  } catch (error) {
    if (!isUnknown(error)) throw error;
  }
  await actions.listWorkflowRunsForRepo({ owner, repo, per_page: 1 }).catch((error: unknown) => {
    if (!isUnknown(error)) throw error;
    throw new PacelineError('PACELINE_FORBIDDEN', `The token does not show which workflows of ${repository} run`, {
      cause: error,
      hint: 'The job needs `permissions: { actions: read }`, or the input token one that may read them. Nothing was removed.',
    });
  });
  return true;
}

function isUnknown(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 404;
}
