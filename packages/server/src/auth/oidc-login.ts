import { PacelineError, toError } from '@paceline/model';
import * as openid from 'openid-client';
import type { Claims, OidcPolicy } from './oidc-policy.ts';

/** Of each request to the provider, in seconds. */
const timeoutSeconds = 10;
export const callbackPath = '/api/login/oidc/callback';

/** What a browser has to bring back from the provider. */
export interface Attempt {
  state: string;
  nonce: string;
  verifier: string;
}

/** Logs people in by OpenID Connect: authorization code with PKCE. */
export class OidcLogin {
  readonly policy: OidcPolicy;
  #configuration: Promise<openid.Configuration> | undefined;

  constructor(policy: OidcPolicy) {
    this.policy = policy;
  }

  /** Where to send a browser. @throws PACELINE_UNREACHABLE when the provider does not answer */
  async begin(): Promise<{ url: string; attempt: Attempt }> {
    const configuration = await this.#discover();
    const attempt = { state: openid.randomState(), nonce: openid.randomNonce(), verifier: openid.randomPKCECodeVerifier() };
    const url = openid.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#addressOf(callbackPath),
      scope: this.policy.scope,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(attempt.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, attempt };
  }

  /**
   * What the provider says of whoever has come back from it.
   * @param path with the query that the provider has made
   * @throws PACELINE_FORBIDDEN when the provider has refused, PACELINE_UNAUTHENTICATED when the answer is not to this attempt or not
   *   the provider's, PACELINE_UNREACHABLE
   */
  async finish(path: string, { state, nonce, verifier }: Attempt): Promise<Claims> {
    const configuration = await this.#discover();
    try {
      const tokens = await openid.authorizationCodeGrant(configuration, new URL(this.#addressOf(path)), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error('there is no ID token');
      if (configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
      return { ...claims, ...(await openid.fetchUserInfo(configuration, tokens.access_token, claims.sub)) };
    } catch (cause) {
      throw this.#explained(cause);
    }
  }

  #explained(cause: unknown): PacelineError {
    const { issuer } = this.policy;
    if (cause instanceof openid.AuthorizationResponseError) {
      return new PacelineError('PACELINE_FORBIDDEN', `${issuer} has refused the login: ${cause.error_description ?? cause.error}`, {
        cause,
      });
    }
    if (isOfNetwork(cause)) return this.#silent(cause);
    return new PacelineError('PACELINE_UNAUTHENTICATED', `The login by ${issuer} has failed: ${toError(cause).message}`, { cause });
  }

  #silent(cause: unknown): PacelineError {
    return new PacelineError('PACELINE_UNREACHABLE', `${this.policy.issuer} cannot be asked who logs in: ${toError(cause).message}`, {
      cause,
    });
  }

  /** Asked once, and again after a failure. */
  async #discover(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret } = this.policy;
    const isPlain = issuer.startsWith('http:');
    this.#configuration ??= openid.discovery(
      new URL(issuer),
      clientId,
      undefined,
      clientSecret === undefined ? openid.None() : openid.ClientSecretBasic(clientSecret),
      { timeout: timeoutSeconds, execute: isPlain ? [openid.allowInsecureRequests] : [] },
    );
    try {
      return await this.#configuration;
    } catch (cause) {
      this.#configuration = undefined;
      throw this.#silent(cause);
    }
  }

  #addressOf(path: string): string {
    return `${this.policy.url.replace(/\/$/, '')}${path}`;
  }
}

/** Neither what the provider says nor what the browser brings, but the way to the provider. */
function isOfNetwork(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof openid.ClientError && error.code === 'OAUTH_TIMEOUT');
}
