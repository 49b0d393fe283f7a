import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the runner says of the job that an action is part of. */
export interface Job {
  /** `octo/app`. */
  repository: string;
  repositoryId: string;
  /** GitHub's number of the workflow run. */
  run: number;
  attempt: number;
  workspace: string;
  /** A folder that is empty when the job begins and is emptied when it ends. */
  temp: string;
  /** `https://github.com`. */
  serverUrl: string;
  sha: string;
  /** The pull request, or issue, that the job is about. */
  pullRequest: number | undefined;
  /** Whether the pull request comes from a fork: then there are no secrets. */
  fork: boolean;
}

interface Payload {
  pull_request?: { number?: number; head?: { repo?: { full_name?: string } | null } };
  issue?: { number?: number };
}

export function jobOf(env: NodeJS.ProcessEnv): Job {
  const { pull_request: pull, issue } = payloadOf(env['GITHUB_EVENT_PATH']);
  const repository = env['GITHUB_REPOSITORY'] ?? '';
  return {
    repository,
    repositoryId: env['GITHUB_REPOSITORY_ID'] ?? repository,
    run: Number(env['GITHUB_RUN_ID'] ?? 0),
    attempt: Number(env['GITHUB_RUN_ATTEMPT'] ?? 1),
    workspace: env['GITHUB_WORKSPACE'] ?? process.cwd(),
    temp: env['RUNNER_TEMP'] ?? tmpdir(),
    serverUrl: env['GITHUB_SERVER_URL'] ?? 'https://github.com',
    sha: env['GITHUB_SHA'] ?? '',
    pullRequest: pull?.number ?? issue?.number,
    // Workflows of `pull_request_target` are those of the repository itself, with its secrets.
    fork: pull !== undefined && pull.head?.repo?.full_name !== repository && env['GITHUB_EVENT_NAME'] !== 'pull_request_target',
  };
}

function payloadOf(path: string | undefined): Payload {
  try {
    return JSON.parse(readFileSync(path ?? '', 'utf8')) as Payload;
  } catch {
    return {};
  }
}

export interface WorkflowRun extends Pick<Job, 'run' | 'attempt'> {
  /** Whether `keep-running` may leave machines after the workflow. */
  mayStay?: boolean;
}

/**
 * An id for a run that tells which workflow run has started it: machines carry it as a tag, so that a scheduled workflow can find
 * what is left of a job whose runner was lost. A UUID of version 8: 48 bits of the workflow run, one that says whether machines may
 * outlive it on purpose, 11 of its attempt, the rest random.
 */
export function newRunId({ run, attempt, mayStay = false }: WorkflowRun, random: (size: number) => Buffer = randomBytes): string {
  const bytes = Buffer.concat([Buffer.alloc(8), random(8)]);
  bytes.writeUIntBE(run % 2 ** 48, 0, 6);
  bytes.writeUInt16BE(0x8000 | (mayStay ? 0x800 : 0) | (attempt & 0x7ff), 6);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The workflow run that has started a run; undefined when the id was not made by an action. */
export function workflowRunOf(id: string): Required<WorkflowRun> | undefined {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)) return undefined;
  const digits = id.replaceAll('-', '');
  const low = Number.parseInt(digits.slice(13, 16), 16);
  return { run: Number.parseInt(digits.slice(0, 12), 16), attempt: low & 0x7ff, mayStay: (low & 0x800) !== 0 };
}

/** Where the engine of a run keeps its state during the job. */
export function stateOf({ temp }: Pick<Job, 'temp'>, id: string): string {
  return join(temp, 'paceline', id);
}

/** By this people find the runs of a repository on a server, and so does `reap`. */
export function repositoryTag({ repository }: Pick<Job, 'repository'>): string {
  return `github:${repository}`.slice(0, 100);
}

/** By this tag engines of all jobs of a repository know what belongs to it. */
export function ownerTagOf({ repositoryId }: Pick<Job, 'repositoryId'>): string {
  return `github-${repositoryId}`;
}
