import { createHash, timingSafeEqual } from 'node:crypto';
import { everyProject, onBehalfOf, onBehalfOfHeader, throughPortal, type ProjectRole } from '@paceline/api';
import type { Engine, Run } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import type { FastifyRequest } from 'fastify';
import type { Accounts } from './accounts.ts';
import { bearerOf } from './bearer.ts';
import type { BrowserSessions } from './browser-sessions.ts';
import { includes, operatorName, projectsWith, roleIn, type Identity } from './roles.ts';
import type { Principal, Sessions } from './sessions.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whoever has logged in may use the route, which sees to it itself that they reach only what is theirs. */
    anyLogin?: boolean;
  }
}

/** Whether a run is only looked at, or something is done with it. */
export type Right = 'read' | 'change';

/**
 * Who is allowed what. People and jobs have roles in projects: viewers see the runs there, deployers also start runs and do with
 * these as they like, operators do so with all, admins also say who else may. A run's token opens that run.
 */
export interface Access {
  /** Whose token this is. @throws PACELINE_UNAUTHENTICATED */
  ofToken(token: string): Promise<Identity>;
  /** Who asks. @throws PACELINE_UNAUTHENTICATED when that is nobody with a login, such as the holder of a run's token */
  identity(request: FastifyRequest): Promise<Identity>;
  /** @throws PACELINE_UNAUTHENTICATED, PACELINE_FORBIDDEN unless who asks has the role on the server itself */
  server(request: FastifyRequest, role: ProjectRole): Promise<Identity>;
  /**
   * @param right what is asked for; by default `read` for GET, else `change`
   * @returns the full id of the run that the text means. @throws PACELINE_UNAUTHENTICATED, PACELINE_FORBIDDEN, PACELINE_NOT_FOUND
   */
  run(request: FastifyRequest, text: string, right?: Right): Promise<string>;
  /** Who asks, in words for the record of a run. */
  nameOf(request: FastifyRequest): Promise<string>;
  /**
   * As an `onRequest` hook: refuses whom the route is not for before a body is read. Routes with `:run` are for who may look at,
   * or change, that run; others for operators of the server, unless their configuration says otherwise.
   */
  readonly guard: (request: FastifyRequest) => Promise<void>;
}

/** Ways in, beside the token of a run. */
export interface Entrances {
  operatorToken: string;
  accounts: Accounts;
  browsers: BrowserSessions;
  /** Without them no job can log in. */
  jobs?: Sessions | undefined;
  /** The program that the server is part of, which asks in the names of its own users. */
  portal?: { name: string; token: string } | undefined;
}

const uuid = /^[0-9a-f-]{36}$/;
const operator: Identity = { name: operatorName, grants: new Map([[everyProject, 'admin']]) };

export function createAccess(engine: Engine, { operatorToken, accounts, browsers, jobs, portal }: Entrances): Access {
  const ofToken = async (token: string): Promise<Identity | undefined> => {
    if (sameText(token, operatorToken)) return operator;
    if (portal !== undefined && sameText(token, portal.token)) return { ...operator, name: portal.name };
    const job = await jobs?.find(token);
    return job === undefined ? accounts.find(token) : identityOfJob(job);
  };
  const find = async (request: FastifyRequest): Promise<Identity | undefined> => {
    const session = request.headers.authorization === undefined ? await browsers.find(request) : undefined;
    if (session === 'operator') return operator;
    if (session !== undefined)
      return 'token' in session ? accounts.byTokenId(session.token) : accounts.enrolled(session.user, session.issuer);
    const identity = await ofToken(bearerOf(request));
    return identity && { ...identity, name: nameThrough(request, identity.name) };
  };
  // The hook and the route both ask.
  const known = new WeakMap<FastifyRequest, Promise<Identity | undefined>>();
  const identify = (request: FastifyRequest): Promise<Identity | undefined> => {
    const found = known.get(request) ?? find(request);
    known.set(request, found);
    return found;
  };
  const access: Access = {
    ofToken: async (token) => (await ofToken(token)) ?? refuse(),
    async identity(request) {
      return (await identify(request)) ?? refuse();
    },
    async server(request, role) {
      const identity = await access.identity(request);
      if (includes(roleIn(identity, everyProject), role)) return identity;
      throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} is no ${role} of this server`);
    },
    async nameOf(request) {
      return (await identify(request))?.name ?? "the holder of the run's token";
    },
    async guard(request) {
      const { run } = request.params as { run?: string };
      if (run !== undefined) await access.run(request, run);
      else if (request.routeOptions.config.anyLogin === true) await access.identity(request);
      else await access.server(request, 'operator');
    },
    async run(request, text, right = request.method === 'GET' ? 'read' : 'change') {
      const identity = await identify(request);
      if (identity === undefined) return uuid.test(text) && engine.tokenMatches(text, bearerOf(request)) ? text : refuse();
      const projects = projectsWith(identity, 'viewer');
      const id = uuid.test(text) ? text : await engine.resolveRun(text, ({ project }) => projects?.includes(project) ?? true);
      const run = await belongingOf(engine, id);
      const role = run && roleIn(identity, run.project);
      // Whether there is a run of others is nothing that somebody is told.
      if (role === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `${identity.name} has no run ${text}`);
      request.runId = id;
      const own = run?.createdBy === identity.name && includes(role, 'deployer');
      if (right === 'read' || own || includes(role, 'operator')) return id;
      throw new PacelineError('PACELINE_FORBIDDEN', `${identity.name} may look at this run, and not change it`, {
        hint: `That takes an operator of the project ${run?.project}, or the deployer who started it.`,
      });
    },
  };
  return access;
}

/**
 * The name for the record when a portal, which knows its users itself, says for whom it asks. What may be done is not changed by
 * that, and the portal's own name is always part of it, so that nobody can pass for another.
 */
function nameThrough(request: FastifyRequest, portal: string): string {
  const text = request.headers[onBehalfOfHeader];
  if (text === undefined) return portal;
  const user = onBehalfOf.safeParse(text);
  if (user.success) return throughPortal(user.data, portal);
  throw new PacelineError('PACELINE_REQUEST_INVALID', `The header ${onBehalfOfHeader} names nobody`, {
    hint: 'It is one line of at most 200 characters, such as user:default/alice.',
  });
}

/** A job that may deploy has a project of its own, so it reaches its own runs and no others; an operator reaches all. */
function identityOfJob({ name, role }: Principal): Identity {
  return { name, grants: new Map([[role === 'operator' ? everyProject : name, role]]), job: true };
}

function refuse(): never {
  throw new PacelineError('PACELINE_UNAUTHENTICATED', 'The token is not valid here', {
    hint: 'Use the token of the server, a personal one, or the one that was given out with the run.',
  });
}

async function belongingOf(engine: Engine, id: string): Promise<Pick<Run, 'createdBy' | 'project'> | undefined> {
  const active = engine.findActive(id);
  return active?.isLoaded === true ? active.run : engine.store.belonging(id);
}

export function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
