import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GitHubIssuer } from '../../../packages/server/src/testing/github-issuer.ts';

export interface FakeComment {
  id: number;
  body: string;
  user: { login: string };
}

interface Answer {
  status: number;
  body: unknown;
}

/** GitHub, as far as the actions speak to it: REST, tokens for jobs, and artifacts. What is sent wrongly is refused. */
export class GitHub {
  readonly token = `ghs_${randomUUID()}`;
  readonly requestToken = randomUUID();
  readonly issuer: GitHubIssuer;
  readonly comments: FakeComment[] = [];
  readonly deployments: { environment: string; ref: string }[] = [];
  readonly statuses: { deployment: number; state: string; environment_url?: string }[] = [];
  /** By name: the bytes of the archive. */
  readonly artifacts = new Map<string, Buffer>();
  /** Until when artifacts are to be kept, where that was said. */
  readonly artifactsExpire: string[] = [];
  /** What is known of workflow runs; others are not known. */
  readonly workflowRuns = new Map<number, 'completed' | 'in_progress'>();
  /** Whether the token may see workflow runs. */
  showsWorkflows = true;
  /** What a job says of itself in its token. */
  claims: Record<string, unknown> = {};
  /** Whether the token may write. */
  mayWrite = true;
  /** What was sent that GitHub would not understand. */
  readonly complaints: string[] = [];
  readonly #server: Server;
  readonly #blocks = new Map<string, Map<string, Buffer>>();
  readonly #uploads = new Map<string, Buffer>();

  private constructor(server: Server, issuer: GitHubIssuer) {
    this.#server = server;
    this.issuer = issuer;
    server.on('request', (request, response) => {
      void this.#answer(request).then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? '' : JSON.stringify(body));
      });
    });
  }

  static async open(): Promise<GitHub> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new GitHub(server, await GitHubIssuer.open());
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What the runner puts into the environment of a job. @param permissions whether it may ask for tokens of its own */
  env({ idToken = true }: { idToken?: boolean } = {}): Record<string, string> {
    const scope = Buffer.from(JSON.stringify({ scp: 'Actions.Results:run-backend:job-backend' })).toString('base64url');
    return {
      FAKE_GITHUB_TOKEN: this.token,
      GITHUB_API_URL: this.url,
      ACTIONS_RESULTS_URL: this.url,
      ACTIONS_RUNTIME_TOKEN: `e30.${scope}.x`,
      ...(idToken
        ? { ACTIONS_ID_TOKEN_REQUEST_URL: `${this.url}/token?api-version=2.0`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: this.requestToken }
        : {}),
    };
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.issuer.close();
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const body = Buffer.concat(await request.toArray());
    const url = new URL(request.url ?? '/', this.url);
    const asked = `${request.method} ${url.pathname}`;
    const refuse = (status: number, message: string): Answer => {
      this.complaints.push(`${asked}: ${message}`);
      return { status, body: { message } };
    };
    if (asked === 'GET /token') {
      if (request.headers.authorization !== `Bearer ${this.requestToken}`) return refuse(401, 'Bad credentials');
      return { status: 200, body: { value: await this.issuer.token(url.searchParams.get('audience') ?? '', this.claims) } };
    }
    if (url.pathname.startsWith('/blob/')) return this.#blob(request, url, body);
    if (url.pathname.startsWith('/twirp/')) return this.#artifact(url, JSON.parse(body.toString()) as Record<string, string>, refuse);
    if (request.headers.authorization !== `token ${this.token}`) return refuse(401, 'Bad credentials');
    return this.#rest(asked, body.length === 0 ? {} : (JSON.parse(body.toString()) as Record<string, string>), refuse);
  }

  #rest(asked: string, body: Record<string, string>, refuse: (status: number, message: string) => Answer): Answer {
    const [, , attempted] = /^GET \/repos\/octo\/app\/(actions\/runs)\/(\d+)\/attempts\/\d+$/.exec(asked) ?? [];
    if (attempted !== undefined) {
      const status = this.showsWorkflows ? this.workflowRuns.get(Number(attempted)) : undefined;
      return status === undefined ? { status: 404, body: { message: 'Not Found' } } : { status: 200, body: { status } };
    }
    if (asked === 'GET /repos/octo/app/actions/runs') {
      if (!this.showsWorkflows) return { status: 404, body: { message: 'Not Found' } };
      return { status: 200, body: { total_count: this.workflowRuns.size, workflow_runs: [] } };
    }
    if (asked === 'GET /user') return { status: 403, body: { message: 'Resource not accessible by integration' } };
    if (asked === 'GET /repos/octo/app/issues/7/comments') return { status: 200, body: this.comments };
    if (!this.mayWrite) return { status: 403, body: { message: 'Resource not accessible by integration' } };
    if (asked === 'POST /repos/octo/app/issues/7/comments') {
      if ((body['body'] ?? '').length > 65_536) return refuse(422, 'Body is too long');
      const made = { id: this.comments.length + 1, body: body['body'] ?? '', user: { login: 'github-actions[bot]' } };
      this.comments.push(made);
      return { status: 201, body: made };
    }
    const [, comment] = /^PATCH \/repos\/octo\/app\/issues\/comments\/(\d+)$/.exec(asked) ?? [];
    if (comment !== undefined) {
      const found = this.comments[Number(comment) - 1];
      if (found !== undefined) found.body = body['body'] ?? '';
      return { status: 200, body: found };
    }
    if (asked === 'POST /repos/octo/app/deployments') {
      if (typeof body['auto_merge'] !== 'boolean' || !Array.isArray(body['required_contexts'])) return refuse(409, 'Merged');
      this.deployments.push({ environment: body['environment'] ?? '', ref: body['ref'] ?? '' });
      return { status: 201, body: { id: this.deployments.length } };
    }
    const [, deployment] = /^POST \/repos\/octo\/app\/deployments\/(\d+)\/statuses$/.exec(asked) ?? [];
    if (deployment !== undefined) {
      const { state = '', environment_url } = body;
      this.statuses.push({ deployment: Number(deployment), state, ...(environment_url === undefined ? {} : { environment_url }) });
      return { status: 201, body: { id: this.statuses.length } };
    }
    return refuse(404, 'Not Found');
  }

  #artifact({ pathname }: URL, body: Record<string, unknown>, refuse: (status: number, message: string) => Answer): Answer {
    if (body['workflow_run_backend_id'] !== 'run-backend' || body['workflow_job_run_backend_id'] !== 'job-backend')
      return refuse(403, 'whose?');
    const name = String(body['name']);
    if (pathname.endsWith('/CreateArtifact')) {
      if (typeof body['expires_at'] === 'string') this.artifactsExpire.push(body['expires_at']);
      return { status: 200, body: { ok: true, signed_upload_url: `${this.url}/blob/${encodeURIComponent(name)}?sig=signed` } };
    }
    if (!pathname.endsWith('/FinalizeArtifact')) return refuse(404, 'no such method');
    const bytes = this.#uploads.get(name);
    if (bytes === undefined || String(bytes.length) !== body['size']) return refuse(400, 'the size is not that of what was uploaded');
    if (String(body['hash']) !== `sha256:${createHash('sha256').update(bytes).digest('hex')}`) return refuse(400, 'the hash is not right');
    this.artifacts.set(name, bytes);
    return { status: 200, body: { ok: true, artifact_id: String(this.artifacts.size) } };
  }

  #blob(request: IncomingMessage, url: URL, body: Buffer): Answer {
    const name = decodeURIComponent(url.pathname.slice('/blob/'.length));
    const blocks = this.#blocks.get(name) ?? new Map<string, Buffer>();
    this.#blocks.set(name, blocks);
    if (request.method !== 'PUT' || url.searchParams.get('sig') !== 'signed') return { status: 403, body: {} };
    const block = url.searchParams.get('blockid');
    if (url.searchParams.get('comp') === 'block' && block !== null) blocks.set(block, body);
    else if (url.searchParams.get('comp') === 'blocklist') {
      const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map(([, id = '']) => id);
      this.#uploads.set(name, Buffer.concat(ids.map((id) => blocks.get(id) ?? Buffer.alloc(0))));
    } else this.#uploads.set(name, body);
    return { status: 201, body: undefined };
  }
}
