import { PacelineError } from '@paceline/model';
import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { githubClaims, roleOf, type GitHubClaims, type GitHubPolicy } from './github-policy.ts';
import type { Principal } from './sessions.ts';

const keysMs = 5000;
const skewSeconds = 30;

/** Logs in jobs of GitHub Actions with the tokens that GitHub gives them: no secret has to be stored anywhere. */
export class GitHubLogin {
  readonly #policy: GitHubPolicy;
  readonly #keys: JWTVerifyGetKey;

  constructor(policy: GitHubPolicy, fetch: typeof globalThis.fetch = globalThis.fetch) {
    this.#policy = policy;
    const url = new URL(`${policy.issuer.replace(/\/$/, '')}/.well-known/jwks`);
    this.#keys = createRemoteJWKSet(url, { timeoutDuration: keysMs, [customFetch]: fetch });
  }

  /**
   * Who a token is of.
   * @throws PACELINE_UNAUTHENTICATED for a token that is not GitHub's, not for this server or too old, PACELINE_FORBIDDEN when no
   *   rule lets the job in, PACELINE_UNREACHABLE when GitHub's keys cannot be had
   */
  async login(token: string): Promise<Principal> {
    const claims = await this.#verified(token);
    const role = roleOf(this.#policy, claims);
    if (role === undefined) {
      const { repository, repository_id: id, ref, event_name: event, environment } = claims;
      const job = [`repository ${repository} (${id})`, `ref ${ref}`, `event ${event}`, `environment ${environment ?? '(none)'}`];
      throw new PacelineError('PACELINE_FORBIDDEN', `No rule of this server lets this job in: ${job.join(', ')}`, {
        hint: 'The operator of the server can add a rule; see docs/github-actions.md.',
      });
    }
    return { name: `github:${claims.repository} (${claims.repository_id})`, role };
  }

  async #verified(token: string): Promise<GitHubClaims> {
    const { issuer, audience } = this.#policy;
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        issuer,
        audience,
        algorithms: ['RS256'],
        requiredClaims: ['exp'],
        clockTolerance: skewSeconds,
      });
      return githubClaims.parse(payload);
    } catch (cause) {
      if (isOfToken(cause)) {
        throw new PacelineError('PACELINE_UNAUTHENTICATED', `The token is not one of ${issuer} for ${audience}: ${cause.message}`, {
          cause,
        });
      }
      throw new PacelineError('PACELINE_UNREACHABLE', `The keys of ${issuer} cannot be had`, { cause, hint: 'Try again in a moment.' });
    }
  }
}

/** Errors that the token is to blame for; the rest is the network's, or the issuer's. */
function isOfToken(error: unknown): error is Error {
  const blamed = [
    errors.JWTClaimValidationFailed,
    errors.JWTExpired,
    errors.JWTInvalid,
    errors.JWSInvalid,
    errors.JWSSignatureVerificationFailed,
    errors.JOSEAlgNotAllowed,
    errors.JWKSNoMatchingKey,
  ];
  return blamed.some((kind) => error instanceof kind) || (error instanceof Error && error.name === 'ZodError');
}
