import * as z from 'zod';
import { roles, type Role } from './sessions.ts';

const pattern = z.string().min(1).max(300);
const allOf = z.union([pattern, z.array(pattern).min(1)]).transform((value) => (typeof value === 'string' ? [value] : value));

const rule = z
  .strictObject({
    /** `octo/app`. Who takes over the name takes over the permission: `repositoryId` is safe from that. */
    repository: allOf.optional(),
    /** GitHub's number of the repository, which no other ever gets. */
    repositoryId: allOf.optional(),
    /** The person or organisation that the repository belongs to. */
    owner: allOf.optional(),
    ownerId: allOf.optional(),
    /** Such as `refs/heads/main`. */
    ref: allOf.optional(),
    /** The environment that the job names, with GitHub's own protection rules. */
    environment: allOf.optional(),
    /** The workflow file that the job comes from: `octo/app/.github/workflows/deploy.yaml@refs/heads/main`. */
    workflow: allOf.optional(),
    /** What started the workflow. By default all but `pull_request_target`, in which strangers may have a say. */
    event: allOf.optional(),
    role: z.enum(roles).default('deployer'),
  })
  .refine(({ repository, repositoryId, owner, ownerId }) => repository ?? repositoryId ?? owner ?? ownerId, {
    error: 'must name a repository or an owner: else everybody on GitHub would be let in',
  });

/** Whose jobs on GitHub may log in, and as what. In every value `*` stands for any text. */
export const githubPolicy = z.strictObject({
  /** Who signs the tokens; another one for GitHub Enterprise Server. */
  issuer: z
    .url()
    .refine((url) => /^https:|^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(url), 'must be https')
    .default('https://token.actions.githubusercontent.com'),
  /** For whom the tokens have to be made: the address of this server, as jobs call it. */
  audience: z.string().min(1).max(300),
  /** The first rule that fits counts. */
  allow: z.array(rule).min(1).max(1000),
});
export type GitHubPolicy = z.infer<typeof githubPolicy>;

/** What a token of GitHub says, as far as it is looked at. `sub` is not: its form has changed over time. */
export const githubClaims = z.looseObject({
  repository: z.string(),
  repository_id: z.string(),
  repository_owner: z.string(),
  repository_owner_id: z.string(),
  ref: z.string(),
  event_name: z.string(),
  environment: z.string().optional(),
  job_workflow_ref: z.string().optional(),
  run_id: z.string().optional(),
});
export type GitHubClaims = z.infer<typeof githubClaims>;

/** The role of a job; undefined when no rule lets it in. */
export function roleOf({ allow }: Pick<GitHubPolicy, 'allow'>, claims: GitHubClaims): Role | undefined {
  return allow.find((one) => fits(one, claims))?.role;
}

function fits(rules: GitHubPolicy['allow'][number], claims: GitHubClaims): boolean {
  const pairs: [string[] | undefined, string | undefined][] = [
    [rules.repository, claims.repository],
    [rules.repositoryId, claims.repository_id],
    [rules.owner, claims.repository_owner],
    [rules.ownerId, claims.repository_owner_id],
    [rules.ref, claims.ref],
    [rules.environment, claims.environment],
    [rules.workflow, claims.job_workflow_ref],
    [rules.event, claims.event_name],
  ];
  if (rules.event === undefined && claims.event_name === 'pull_request_target') return false;
  return pairs.every(([wanted, actual]) => wanted === undefined || (actual !== undefined && wanted.some((text) => matches(text, actual))));
}

/** Whether a text is as a pattern says, in which `*` stands for any text. Takes linear time per star. */
function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
