import { getOctokit } from '@actions/github';
import type { Job } from '../runner/job.ts';

/** GitHub takes no longer comment, in characters. */
export const commentCharacters = 65_536;

export interface CommentOptions {
  token: string;
  job: Pick<Job, 'repository' | 'pullRequest'>;
  /** What the comment is about: there is one of each. */
  topic: string;
  body: string;
}

/** Writes a comment to the pull request, or writes the one of the last time anew. Nothing outside of a pull request. */
export async function comment({ token, job, topic, body }: CommentOptions): Promise<void> {
  const { pullRequest: issue_number } = job;
  if (issue_number === undefined) return;
  const [owner = '', repo = ''] = job.repository.split('/');
  const { rest, paginate } = getOctokit(token);
  const marker = `<!-- paceline: ${topic.replaceAll('--', '')} -->`;
  const text = `${marker}\n${body}`.slice(0, commentCharacters);
  const { data: me } = await rest.users.getAuthenticated().catch(() => ({ data: { login: 'github-actions[bot]' } }));
  for await (const { data } of paginate.iterator(rest.issues.listComments, { owner, repo, issue_number, per_page: 100 })) {
    // Others can write such a marker, too.
    const found = data.find((one) => one.body?.startsWith(marker) === true && one.user?.login === me.login);
    if (found === undefined) continue;
    await rest.issues.updateComment({ owner, repo, comment_id: found.id, body: text });
    return;
  }
  await rest.issues.createComment({ owner, repo, issue_number, body: text });
}
