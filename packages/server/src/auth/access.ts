import { createHash, timingSafeEqual } from 'node:crypto';
import type { Engine } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import type { FastifyRequest } from 'fastify';
import { bearerOf } from './bearer.ts';

/** Who is allowed what: the operator's token everything, a run's token that run. */
export interface Access {
  /** @throws PACELINE_UNAUTHENTICATED */
  operator(request: FastifyRequest): void;
  /** @returns the full id of the run that the text means. @throws PACELINE_UNAUTHENTICATED, PACELINE_NOT_FOUND */
  run(request: FastifyRequest, text: string): Promise<string>;
  /**
   * As an `onRequest` hook: refuses whom the route is not for before a body is read. Routes with `:run` are that run's, others
   * the operator's.
   */
  readonly guard: (request: FastifyRequest) => Promise<void>;
}

export function createAccess(engine: Engine, operatorToken: string): Access {
  const isOperator = (token: string): boolean => sameText(token, operatorToken);
  const refuse = (): never => {
    throw new PacelineError('PACELINE_UNAUTHENTICATED', 'The token is not valid here', {
      hint: 'Use the token of the server, or the one that was given out with the run.',
    });
  };
  const access: Access = {
    operator(request) {
      if (!isOperator(bearerOf(request))) refuse();
    },
    async guard(request) {
      const { run } = request.params as { run?: string };
      if (run === undefined) access.operator(request);
      else await access.run(request, run);
    },
    async run(request, text) {
      const token = bearerOf(request);
      if (isOperator(token)) return engine.resolveRun(text);
      const matches = /^[0-9a-f-]{36}$/.test(text) && engine.tokenMatches(text, token);
      return matches ? text : refuse();
    },
  };
  return access;
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
