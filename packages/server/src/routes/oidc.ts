import { loginWays } from '@paceline/api';
import { isPacelineError, PacelineError } from '@paceline/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { callbackPath } from '../auth/oidc-login.ts';
import { personOf, projectsOf } from '../auth/oidc-policy.ts';
import { logRefusal, toPacelineError } from '../problem.ts';
import type { App, RouteContext } from './routes.ts';

const loginsPerMinute = 60;
const attempt = z.object({ state: z.string(), nonce: z.string(), verifier: z.string() });

/** How browsers log in by OpenID Connect. These are pages: who fails is led back to the login, with the code of the error. */
export function oidcRoutes(app: App, { oidc, accounts, audit, browsers }: RouteContext): void {
  const ways = {
    operationId: 'loginWays',
    summary: 'How browsers may log in, beside with a token',
    tags: ['accounts'],
    security: [],
    response: { 200: loginWays },
  };
  app.get('/api/login', { schema: ways, config: { anyReplica: true } }, () => ({
    oidc: oidc === undefined ? null : { title: oidc.login.policy.title },
  }));

  const config = { anyReplica: true, rateLimit: { max: loginsPerMinute, timeWindow: '1 minute' } };
  const page = (steps: (request: FastifyRequest, reply: FastifyReply) => Promise<string>) => {
    return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      void reply.headers({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
      const address = await steps(request, reply).catch((thrown: unknown) => {
        const error = toPacelineError(thrown);
        if (isPacelineError(thrown)) request.log.warn(error.message);
        else logRefusal(error, request.log);
        return `/login?failed=${error.code}`;
      });
      return reply.redirect(address, 303);
    };
  };

  app.get(
    '/api/login/oidc',
    { schema: { hide: true }, config },
    page(async (_request, reply) => {
      if (oidc === undefined) throw new PacelineError('PACELINE_NOT_FOUND', 'This server has no login provider');
      const begun = await oidc.login.begin();
      await oidc.attempts.set({ ...begun.attempt }, reply);
      return begun.url;
    }),
  );

  app.get(
    callbackPath,
    { schema: { hide: true }, config },
    page(async (request, reply) => {
      const begun = attempt.safeParse(await oidc?.attempts.read(request));
      if (oidc === undefined || !begun.success) {
        throw new PacelineError('PACELINE_UNAUTHENTICATED', 'This browser has begun no login, or a while ago');
      }
      oidc.attempts.clear(reply);
      const { policy } = oidc.login;
      const { name, grants } = personOf(policy, await oidc.login.finish(request.url, begun.data));
      await accounts.enrol(name, grants, projectsOf(policy), policy.issuer);
      await browsers.open({ user: name, issuer: policy.issuer }, reply);
      await audit.add({ actor: name, operation: 'loginByOidc', subject: policy.issuer, status: 303 });
      request.log.info(`${name} has logged in with a browser, by ${policy.issuer}`);
      return '/';
    }),
  );
}
