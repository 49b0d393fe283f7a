import { getOctokit } from '@actions/github';

/** Whether a workflow run, or this attempt of it, is over; one that GitHub does not know any more is. */
export async function isOver(token: string, repository: string, run: number, attempt: number): Promise<boolean> {
  const [owner = '', repo = ''] = repository.split('/');
  try {
    const { data } = await getOctokit(token).rest.actions.getWorkflowRunAttempt({ owner, repo, run_id: run, attempt_number: attempt });
    return data.status === 'completed';
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 404) return true;
    throw error;
  }
}
