import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  Clouds,
  createCipher,
  Engine,
  openDatabase,
  ReportFiles,
  RunStore,
  type ConfiguredCloud,
  type Database,
  type RetentionPolicy,
} from '@paceline/engine';
import { PacelineError, type Budget } from '@paceline/model';
import { AgentBundles } from './agent-bundles.ts';
import { buildApp, type AppOptions } from './app.ts';
import { createAccess } from './auth/access.ts';
import { Accounts } from './auth/accounts.ts';
import { AuditLog } from './auth/audit-log.ts';
import { Dashboard } from './dashboard.ts';
import { BrowserSessions } from './auth/browser-sessions.ts';
import { GitHubLogin } from './auth/github-login.ts';
import type { GitHubPolicy } from './auth/github-policy.ts';
import { OidcLogin } from './auth/oidc-login.ts';
import type { OidcPolicy } from './auth/oidc-policy.ts';
import { SignedCookie } from './auth/signed-cookie.ts';
import { Sessions } from './auth/sessions.ts';
import { defaultLimits, type ConnectionLimits } from './connections.ts';
import type { App } from './routes/routes.ts';
import type { StateDirectory } from './state-directory.ts';
import { openTunnelDoor, type TunnelDoor } from './tunnel-door.ts';

export interface ServerOptions {
  state: StateDirectory;
  host: string;
  /** 0 takes a free one. */
  port: number;
  clouds: ConfiguredCloud[];
  /**
   * The URL of a PostgreSQL database that several servers share, or one that is open, which then is the server's to close.
   * @default a SQLite file in the state directory
   */
  database?: string | Database;
  /** False leaves the tables as they are, and refuses those of another version. @default true */
  migrate?: boolean;
  /** The name of the program that this server is part of, and that asks for users of its own. @default there is none */
  portal?: string;
  /** Where the other servers on the database reach this one. @default the address that it listens on */
  replicaUrl?: string;
  /** Path of the agent bundle. */
  agentPath: string;
  /** Servers with the same tag know each other's machines on the clouds; see `EngineOptions`. */
  ownerTag?: string;
  /** Folder of the built pages for browsers. @default none are served */
  dashboardPath?: string;
  /** Whose jobs on GitHub may log in. @default nobody's */
  github?: GitHubPolicy;
  /** Who says who the people are that log in with a browser. @default nobody: they log in with tokens */
  oidc?: OidcPolicy;
  version: string;
  logger: AppOptions['logger'];
  /** PEM texts; without them the server listens on loopback only. */
  tls?: { cert: string; key: string };
  /** The most that each run may cost. @default none */
  budget?: Budget;
  /** What machines are told to call, when it is not the address that the server listens on. */
  publicUrl?: string;
  /** For how long what finished runs leave is kept. @default see there */
  retention?: RetentionPolicy;
  /** What is taken of the reports of one instance, in bytes. @default 4 GiB */
  maxReportBytes?: number;
  /** How much connections may take; see the defaults there. */
  limits?: Partial<ConnectionLimits>;
}

export interface RunningServer {
  url: string;
  engine: Engine;
  log: Pick<App['log'], 'info' | 'warn'>;
  /** What the portal asks with: it opens everything, in the portal's name. All servers on the database take it. */
  portalToken: string;
  /** Answers what came in elsewhere, to the server of a program that this one is part of. Addresses begin at the server's root. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** The same for requests to use a connection for more than HTTP. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Stops listening and leaves all runs for the next server on this state. */
  close(): Promise<void>;
}

const defaultMaxReportBytes = 4 * 1024 ** 3;

/**
 * Opens the engine on a state directory and serves it.
 * @throws PACELINE_STORE_LOCKED when another server uses the state, PACELINE_REQUEST_INVALID for plain HTTP beyond loopback and
 *   for an address that cannot be listened on
 */
export async function openServer(options: ServerOptions): Promise<RunningServer> {
  const { state, host, port, tls } = options;
  if (typeof options.database === 'string' && options.replicaUrl === undefined && (host === '0.0.0.0' || host === '::')) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `Other servers cannot reach this one at ${host}`, {
      hint: 'Give its own address as --replica-url.',
    });
  }
  if (tls === undefined && !isLoopback(host)) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `Plain HTTP on ${host} would send tokens in the clear`, {
      hint: 'Give --tls-cert and --tls-key, or listen on 127.0.0.1.',
    });
  }
  const agents = await AgentBundles.open(state.agents, options.agentPath);
  const [key, operatorToken] = [await state.key(), await state.operatorToken()];
  const { database: where = state.database } = options;
  const database = typeof where === 'string' ? await openDatabase(where) : where;
  // Closes what is open by then: whatever fails on the way must not leave the state locked.
  let close = (): Promise<void> => database.close();
  try {
    const store = await RunStore.open(database, createCipher(key), { migrates: options.migrate ?? true });
    let app: App | undefined;
    let door: TunnelDoor | undefined;
    let url = '';
    const engine = new Engine({
      store,
      clouds: new Clouds(options.clouds),
      reports: new ReportFiles(state.reports, options.maxReportBytes ?? defaultMaxReportBytes),
      log: { info: (message) => app?.log.info(message), warn: (message) => app?.log.warn(message) },
      key,
      ...(options.ownerTag === undefined ? {} : { ownerTag: options.ownerTag }),
      agentSha256: agents.current,
      runtime: () => agents.runtime(),
      url: () => options.publicUrl ?? url,
      accept: (channel) => (door === undefined ? channel.destroy() : door.accept(channel)),
      ...(options.budget === undefined ? {} : { budget: options.budget }),
      ...(options.retention === undefined ? {} : { retention: options.retention }),
      replicaUrl: () => options.replicaUrl ?? url,
    });
    close = () => engine.close();
    const { version, logger, limits = {} } = options;
    const logins = options.github === undefined ? undefined : { github: new GitHubLogin(options.github), sessions: new Sessions(key) };
    const accounts = new Accounts(database, Date.now, options.portal);
    const portalToken = `plp_${createHmac('sha256', key).update('portal').digest('base64url')}`;
    const portal = options.portal === undefined ? undefined : { name: options.portal, token: portalToken };
    const secure = [options.publicUrl, options.oidc?.url].some((address) => address?.startsWith('https:')) || tls !== undefined;
    const browsers = new BrowserSessions(key, secure);
    const access = createAccess(engine, { operatorToken, accounts, browsers, jobs: logins?.sessions, portal });
    const served = await buildApp({
      engine,
      serverKey: key,
      access,
      accounts,
      audit: new AuditLog(database),
      browsers,
      ...(options.dashboardPath === undefined ? {} : { dashboard: await Dashboard.open(options.dashboardPath) }),
      agents,
      version,
      logger,
      limits,
      ...(tls === undefined ? {} : { https: tls }),
      ...(logins === undefined ? {} : { logins }),
      ...(options.oidc === undefined ? {} : { oidc: { login: new OidcLogin(options.oidc), attempts: loginAttempts(key, secure) } }),
    });
    app = served;
    door = openTunnelDoor(served, { ...defaultLimits, ...limits });
    close = async () => {
      try {
        door?.close();
        await served.close();
      } finally {
        await engine.close();
      }
    };
    // Other servers have to reach this one from the moment on at which it takes its first run.
    if (database.shared) url = await listen(served, host, port);
    await engine.load();
    if (!database.shared) url = await listen(served, host, port, state);
    engine.start();
    return {
      url,
      engine,
      log: served.log,
      portalToken,
      answer: (request, response) => served.routing(request, response),
      upgrade: (request, socket, head) => void served.server.emit('upgrade', request, socket, head),
      close,
    };
  } catch (error) {
    await close().catch(() => {});
    throw error;
  }
}

/** What a browser keeps while it is at the login provider: it comes back from another site. */
function loginAttempts(key: Buffer, secure: boolean): SignedCookie {
  return new SignedCookie(key, { purpose: 'login-attempt', lifetimeSeconds: 10 * 60, sameSite: 'lax', secure, now: Date.now });
}

/**
 * Listens. Machines that are out already know the port of the last time, so it is taken again when any will do.
 * @throws PACELINE_REQUEST_INVALID when the address cannot be listened on
 */
async function listen(app: App, host: string, port: number, state?: StateDirectory): Promise<string> {
  const last = port === 0 ? await state?.lastPort() : undefined;
  const url = await app
    .listen({ host, port: last ?? port })
    .catch((error: NodeJS.ErrnoException) => {
      if (last === undefined || error.code !== 'EADDRINUSE') throw error;
      app.log.warn(`port ${last}, which earlier machines were told, is taken: they cannot reach this server`);
      return app.listen({ host, port: 0 });
    })
    .catch((cause: Error) => {
      throw new PacelineError('PACELINE_REQUEST_INVALID', `The server cannot start: ${cause.message}`, {
        cause,
        hint: 'Give another --host or --port.',
      });
    });
  await state?.rememberPort(Number(new URL(url).port));
  return url;
}

/** Whether what listens there is reached from this host alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
