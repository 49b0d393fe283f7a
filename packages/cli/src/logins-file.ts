import { readFile } from 'node:fs/promises';
import { PacelineError } from '@paceline/model';
import { githubPolicy, oidcPolicy, type GitHubPolicy, type OidcPolicy } from '@paceline/server';
import { parse } from 'yaml';
import * as z from 'zod';

/** The secret of the client need not be in the file. */
const oidcSecretVariable = 'PACELINE_OIDC_CLIENT_SECRET';
const loginsFile = z
  .strictObject({ github: githubPolicy.optional(), oidc: oidcPolicy.optional() })
  .refine(({ github, oidc }) => github ?? oidc, { error: 'must have github or oidc' });

export interface Logins {
  github?: GitHubPolicy;
  oidc?: OidcPolicy;
}

/**
 * Reads who may log in to a server without one of its tokens.
 * @param env where the secret of an OpenID client may be
 * @throws PACELINE_REQUEST_INVALID with the file and what is wrong in it
 */
export async function readLogins(path: string, env: NodeJS.ProcessEnv): Promise<Logins> {
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
  const { github, oidc } = parsed.data;
  const clientSecret = env[oidcSecretVariable] ?? oidc?.clientSecret;
  return {
    ...(github === undefined ? {} : { github }),
    ...(oidc === undefined ? {} : { oidc: { ...oidc, ...(clientSecret === undefined ? {} : { clientSecret }) } }),
  };
}
