import { readFile } from 'node:fs/promises';
import { PacelineError } from '@paceline/model';
import { githubPolicy, type GitHubPolicy } from '@paceline/server';
import { parse } from 'yaml';
import * as z from 'zod';

const loginsFile = z.strictObject({ github: githubPolicy });

/**
 * Reads who may log in to a server without one of its tokens.
 * @throws PACELINE_REQUEST_INVALID with the file and what is wrong in it
 */
export async function readLogins(path: string): Promise<{ github: GitHubPolicy }> {
  const invalid = (what: string, cause: unknown): PacelineError =>
    new PacelineError('PACELINE_REQUEST_INVALID', `${path} ${what}`, {
      cause,
      hint: 'It looks like `github: { audience: https://paceline.example.org, allow: [{ repository: octo/app }] }`.',
    });
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw invalid(`cannot be read: ${error.message}`, error);
  });
  let data: unknown;
  try {
    data = parse(text);
  } catch (error) {
    throw invalid(`is not valid YAML: ${(error as Error).message}`, error);
  }
  const parsed = loginsFile.safeParse(data);
  if (!parsed.success) throw invalid(`does not say who may log in:\n${z.prettifyError(parsed.error)}`, parsed.error);
  return parsed.data;
}
