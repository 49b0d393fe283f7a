import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { Engine } from '@paceline/engine';
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import * as z from 'zod';
import type { AgentBundles } from '../agent-bundles.ts';
import type { Access } from '../auth/access.ts';
import type { AuditLog } from '../auth/audit-log.ts';
import type { Accounts } from '../auth/accounts.ts';
import type { BrowserSessions } from '../auth/browser-sessions.ts';
import type { Dashboard } from '../dashboard.ts';
import type { GitHubLogin } from '../auth/github-login.ts';
import type { OidcLogin } from '../auth/oidc-login.ts';
import type { SignedCookie } from '../auth/signed-cookie.ts';
import type { Sessions } from '../auth/sessions.ts';

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** `run` is an id; with the server's token also the beginning of one, or a name. */
export const runParams = z.strictObject({ run: z.string().max(200) });

/** An answer without a body. */
export const nothing = z.null();

/** Who may log in, and what they are given. */
export interface Logins {
  github: GitHubLogin;
  sessions: Sessions;
}

/** What every group of routes is given. */
export interface RouteContext {
  engine: Engine;
  access: Access;
  accounts: Accounts;
  audit: AuditLog;
  browsers: BrowserSessions;
  /** Undefined when the server has no pages for browsers. */
  dashboard?: Dashboard;
  /** Undefined when nobody can log in. */
  logins?: Logins;
  /** Undefined when people log in with tokens alone. */
  oidc?: { login: OidcLogin; attempts: SignedCookie };
  agents: AgentBundles;
  version: string;
}
