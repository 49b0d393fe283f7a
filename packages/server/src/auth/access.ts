import { createHash, timingSafeEqual } from 'node:crypto';
import type { Engine } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import type { FastifyRequest } from 'fastify';
import { bearerOf } from './bearer.ts';
import type { Principal, Sessions } from './sessions.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Deployers may use the route, which sees to it itself that they reach only what is theirs. */
    deployers?: boolean;
  }
}

/** Who is allowed what: operators everything, deployers the runs that they have started, a run's token that run. */
export interface Access {
  /** @throws PACELINE_UNAUTHENTICATED, PACELINE_FORBIDDEN */
  operator(request: FastifyRequest): Promise<void>;
  /** Who asks, when it is an operator or a deployer. @throws PACELINE_UNAUTHENTICATED */
  principal(request: FastifyRequest): Promise<Principal>;
  /** @returns the full id of the run that the text means. @throws PACELINE_UNAUTHENTICATED, PACELINE_NOT_FOUND */
  run(request: FastifyRequest, text: string): Promise<string>;
  /**
   * As an `onRequest` hook: refuses whom the route is not for before a body is read. Routes with `:run` are that run's, others
   * the operator's, unless their configuration lets in deployers.
   */
  readonly guard: (request: FastifyRequest) => Promise<void>;
}

const uuid = /^[0-9a-f-]{36}$/;

/** @param sessions without them nobody can log in */
export function createAccess(engine: Engine, operatorToken: string, sessions?: Sessions): Access {
  const refuse = (): never => {
    throw new PacelineError('PACELINE_UNAUTHENTICATED', 'The token is not valid here', {
      hint: 'Use the token of the server, or the one that was given out with the run.',
    });
  };
  const principalOf = async (token: string): Promise<Principal | undefined> =>
    sameText(token, operatorToken) ? { name: 'operator', role: 'operator' } : sessions?.find(token);
  const access: Access = {
    async operator(request) {
      const { role, name } = await access.principal(request);
      if (role === 'operator') return;
      throw new PacelineError('PACELINE_FORBIDDEN', `${name} may start runs and use those, and nothing else`);
    },
    async principal(request) {
      return (await principalOf(bearerOf(request))) ?? refuse();
    },
    async guard(request) {
      const { run } = request.params as { run?: string };
      if (run !== undefined) await access.run(request, run);
      else if (request.routeOptions.config.deployers === true) await access.principal(request);
      else await access.operator(request);
    },
    async run(request, text) {
      const token = bearerOf(request);
      const principal = await principalOf(token);
      if (principal?.role === 'operator') return engine.resolveRun(text);
      if (!uuid.test(text)) return refuse();
      if (principal === undefined) return engine.tokenMatches(text, token) ? text : refuse();
      // Whether there is a run of others is nothing that a deployer is told.
      if ((await starterOf(engine, text)) === principal.name) return text;
      throw new PacelineError('PACELINE_NOT_FOUND', `${principal.name} has no run ${text}`);
    },
  };
  return access;
}

async function starterOf(engine: Engine, run: string): Promise<string | undefined> {
  const active = engine.findActive(run);
  return active?.isLoaded === true ? active.run.createdBy : (await engine.store.run(run))?.createdBy;
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
