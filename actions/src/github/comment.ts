import { getOctokit } from '@actions/github';
import type { Job } from '../runner/job.ts';

/** GitHub takes no longer comment, in characters. */
export const commentCharacters = 65_536;

/** How a run has come out, or what became of it at the end of its job. */
export type CommentText = { body: string } | { ending: string };

export interface CommentOptions {
  token: string;
  job: Pick<Job, 'repository' | 'pullRequest'>;
  /** What the comment is about: there is one of each. */
  topic: string;
  /** The run that it is about this time. */
  run: string;
  text: CommentText;
}

/** Writes a comment to the pull request, or writes the one of the last time anew. Nothing outside of a pull request. */
export async function comment({ token, job, topic, run, text }: CommentOptions): Promise<void> {
  const { pullRequest: issue_number } = job;
  if (issue_number === undefined) return;
  const [owner = '', repo = ''] = job.repository.split('/');
  const { rest, paginate } = getOctokit(token);
  const marker = `<!-- paceline: ${topic.replaceAll('--', '')} -->`;
  const { data: me } = await rest.users.getAuthenticated().catch(() => ({ data: { login: 'github-actions[bot]' } }));
  for await (const { data } of paginate.iterator(rest.issues.listComments, { owner, repo, issue_number, per_page: 100 })) {
    // Others can write such a marker, too.
    const found = data.find((one) => one.body?.startsWith(marker) === true && one.user?.login === me.login);
    if (found === undefined) continue;
    const body = `${marker}\n${commentBody(found.body ?? '', run, text)}`.slice(0, commentCharacters);
    await rest.issues.updateComment({ owner, repo, comment_id: found.id, body });
    return;
  }
  const body = `${marker}\n${commentBody('', run, text)}`.slice(0, commentCharacters);
  await rest.issues.createComment({ owner, repo, issue_number, body });
}

const endMarker = '<!-- the end -->';

/** What a comment says: the end of a run is put below what was said of the same run before, and replaces its end of before. */
export function commentBody(present: string, run: string, text: CommentText): string {
  const ofRun = `<!-- run: ${run} -->`;
  if ('body' in text) return `${ofRun}\n${text.body}`;
  const at = present.indexOf(ofRun);
  const before =
    at === -1
      ? ''
      : present
          .slice(at + ofRun.length)
          .split(endMarker)[0]
          ?.trim();
  return [ofRun, before, endMarker, text.ending].filter((part) => part !== '').join('\n');
}
