import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';

/** What GitHub says of a job of this repository, unless a test says otherwise. */
export const jobClaims = {
  sub: 'repo:octo@1/app@456789:ref:refs/heads/main',
  repository: 'octo/app',
  repository_id: '456789',
  repository_owner: 'octo',
  repository_owner_id: '1',
  ref: 'refs/heads/main',
  event_name: 'push',
  job_workflow_ref: 'octo/app/.github/workflows/deploy.yaml@refs/heads/main',
  run_id: '16000000001',
};

/** Signs tokens as GitHub does, and answers with its keys. */
export class GitHubIssuer {
  readonly #server: Server;
  #keys: { kid: string; privateKey: CryptoKey; jwk: object };

  private constructor(server: Server, keys: { kid: string; privateKey: CryptoKey; jwk: object }) {
    this.#server = server;
    this.#keys = keys;
    server.on('request', (request, response) => {
      if (request.url !== '/.well-known/jwks') return response.writeHead(404).end();
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [this.#keys.jwk] }));
    });
  }

  static async open(): Promise<GitHubIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new GitHubIssuer(server, await newKeys('one'));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A token for an audience. @param seconds how long it is good for; less than nothing: since when it is not */
  token(audience: string, claims: Record<string, unknown> = {}, seconds = 300): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ ...jobClaims, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: this.#keys.kid })
      .setIssuer(this.url)
      .setAudience(audience)
      .setIssuedAt(now + Math.min(0, seconds) - 1)
      .setExpirationTime(now + seconds)
      .sign(this.#keys.privateKey);
  }

  /** From now on other keys are used, and the old ones are not known any more. */
  async rotate(kid: string): Promise<void> {
    this.#keys = await newKeys(kid);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function newKeys(kid: string): Promise<{ kid: string; privateKey: CryptoKey; jwk: object }> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } };
}
