import { createHash } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreatedRun, ProjectRole, RunRequest } from '@paceline/api';
import type { Engine } from '@paceline/engine';
import { joinFromUserData, key, newWorld, openEngine, type TestAgent, type World } from '@paceline/engine/testing';
import { loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { vi } from 'vitest';
import { AgentBundles } from '../agent-bundles.ts';
import { buildApp, type AppOptions } from '../app.ts';
import { createAccess } from '../auth/access.ts';
import { Accounts, type NewToken } from '../auth/accounts.ts';
import { AuditLog } from '../auth/audit-log.ts';
import { BrowserSessions } from '../auth/browser-sessions.ts';
import type { App } from '../routes/routes.ts';

export const operatorToken = 'plo_operator';
const agentText = '// the agent\n';

/** A run whose machines have all joined. */
export interface JoinedRun {
  id: string;
  token: string;
  /** By instance. */
  agents: Map<string, TestAgent>;
  /** An agent's own token. */
  keyOf(instance: string): string;
}

/** The whole application over a real engine on SQLite in memory, with a cloud that exists in this process only. */
export class TestServer {
  readonly app: App;
  readonly engine: Engine;
  readonly world: World;
  readonly accounts: Accounts;
  readonly agentDigest = createHash('sha256').update(agentText).digest('hex');

  private constructor(app: App, engine: Engine, world: World, accounts: Accounts) {
    this.app = app;
    this.engine = engine;
    this.world = world;
    this.accounts = accounts;
  }

  static async open(options: Pick<AppOptions, 'limits' | 'logins' | 'dashboard'> = {}): Promise<TestServer> {
    const world = newWorld();
    const engine = await openEngine(world);
    const agentPath = join(await mkdtemp(join(tmpdir(), 'paceline-server-')), 'agent.cjs');
    await writeFile(agentPath, agentText);
    const agents = await AgentBundles.open(join(agentPath, '..', 'agents'), agentPath);
    const accounts = new Accounts(world.database, () => world.clock.now());
    const browsers = new BrowserSessions(key, false);
    const access = createAccess(engine, { operatorToken, accounts, browsers, jobs: options.logins?.sessions });
    const app = await buildApp({
      engine,
      serverKey: key,
      access,
      accounts,
      audit: new AuditLog(world.database, () => world.clock.now()),
      browsers,
      agents,
      version: '1.2.3',
      logger: false,
      ...options,
    });
    return new TestServer(app, engine, world, accounts);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.engine.close();
  }

  /** A request with the operator's token, unless another is given; `null` sends none. */
  ask(
    method: InjectOptions['method'],
    url: string,
    { token = operatorToken, ...rest }: InjectOptions & { token?: string | null } = {},
  ): Promise<LightMyRequestResponse> {
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    return this.app.inject({ method, url, ...rest, headers: { ...authorization, ...rest.headers } } as InjectOptions);
  }

  /** Adds somebody with a role. @returns a token of theirs */
  async person(name: string, role: ProjectRole, project: string, limits: Partial<NewToken> = {}): Promise<string> {
    await this.accounts.add(name, 'a test');
    await this.accounts.grant(name, project, role);
    const wanted = { title: 'a test', user: name, expiresAt: null, role: null, project: null, ...limits };
    return (await this.accounts.createToken(wanted, 'a test')).token;
  }

  /** Starts a run over HTTP and lets all of its machines join, which brings it to Executing. */
  async run(request: Partial<RunRequest> = {}, token = operatorToken): Promise<JoinedRun> {
    // No two runs are of the same moment.
    this.world.clock.pass(1);
    const answer = await this.ask('POST', '/api/runs', { token, payload: { deployment: await clientServer(), ...request } });
    if (answer.statusCode !== 201) throw new Error(answer.body);
    const { run, token: runToken } = answer.json<CreatedRun>();
    const keyOf = (instance: string): string => `key-${instance}-${run.id}`;
    const agents = new Map<string, TestAgent>();
    for (const { name } of run.instances) {
      const userData = await vi.waitFor(() => this.#userDataOf(run.id, name));
      agents.set(name, await joinFromUserData(this.engine, userData, keyOf(name)));
    }
    return { id: run.id, token: runToken, agents, keyOf };
  }

  #userDataOf(run: string, instance: string): string {
    for (const { owner, userData } of this.world.cloud.machines.values()) {
      if (owner.run === run && userData.includes(`"instance":"${instance}"`)) return userData;
    }
    // Clouds are not asked any faster than they like.
    this.world.clock.pass(1000);
    throw new Error(`${instance} has no machine yet`);
  }
}

/** A web server with a password and a client that is told it, as they come from their files. */
export async function clientServer(): Promise<ResolvedDeployment> {
  const module = (kind: string, name: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name }, spec });
  const files = {
    '/p/web.yaml': module('Image', 'web', {
      parameters: {
        port: { type: 'integer', default: 8080 },
        ready: { type: 'boolean', output: true },
        password: { type: 'password', output: true },
      },
      scripts: { deploy: '#!/bin/sh\nss-set ready true\nss-set password "$(ss-random)"\n' },
    }),
    '/p/client.yaml': module('Image', 'client', {
      parameters: { 'web.password': { type: 'password' }, note: {} },
      scripts: { deploy: '#!/bin/sh\nss-get web.password\nss-get note\n' },
    }),
    '/p/deployment.yaml': module('Deployment', 'client-server', {
      parameters: { license: { type: 'password', default: 'the license' } },
      nodes: { web: { image: './web.yaml' }, client: { image: './client.yaml', parameters: { 'web.password': { from: 'web:password' } } } },
    }),
  };
  return (await loadModule('/p/deployment.yaml', { fs: memoryFiles(files) })).deployment;
}
