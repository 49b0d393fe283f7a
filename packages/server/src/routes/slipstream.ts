import { isPacelineError, PacelineError } from '@paceline/model';
import {
  abortChanges,
  completeState,
  end,
  hasEnded,
  natural,
  readAs,
  readParameter,
  writeParameter,
  type ActiveRun,
  type Agent,
} from '@paceline/engine';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bearerOf } from '../auth/bearer.ts';
import { toPacelineError } from '../problem.ts';
import type { App, RouteContext } from './routes.ts';

interface KeyRequest {
  Params: { run: string; key: string };
  Querystring: { ignoreabort?: string };
}

/**
 * SlipStream's text API on `/run/<uuid>/<key>`: plain values in and out, and its status codes (409 abort flag raised, 412 not set
 * yet, 404 unknown, 417 ended), for the clients and scripts that speak it.
 */
export function slipstreamRoutes(app: App, { engine, access }: RouteContext): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler(sendText);

    const whoAsks = async (request: FastifyRequest<KeyRequest>): Promise<Agent | string> => {
      const agent = findAgent(() => engine.authenticate(bearerOf(request)));
      if (agent === undefined) return access.run(request, request.params.run);
      if (agent.active.run.id !== request.params.run) throw new PacelineError('PACELINE_FORBIDDEN', 'This key belongs to another run');
      return agent;
    };
    // Before a body is read.
    scope.addHook<KeyRequest>('onRequest', async (request) => void (await whoAsks(request)));

    const activeOf = async (request: FastifyRequest<KeyRequest>) => {
      const who = await whoAsks(request);
      const active = typeof who === 'string' ? await engine.activeRun(who) : who.active;
      const { abort } = active.run.facts;
      if (abort !== null && request.query.ignoreabort !== 'true')
        throw new PacelineError('PACELINE_RUN_ABORTED', `Abort flag raised! ${abort.reason}`);
      return { active, instance: typeof who === 'string' ? undefined : who.instance };
    };
    const write = async (request: FastifyRequest<KeyRequest>, value: string): Promise<void> => {
      const { active, instance } = await activeOf(request);
      const writer = instance === undefined ? 'user' : { instance };
      await abortOnUnknown(active, instance, () =>
        active.decide((run, now) => writeParameter(run, request.params.key, value, false, writer, now)),
      );
    };

    scope.get<KeyRequest>('/run/:run/:key', { schema: { hide: true } }, async (request, reply) => {
      const { active, instance } = await activeOf(request);
      const read = () =>
        instance === undefined ? readParameter(active.run, request.params.key) : readAs(active.run, instance, request.params.key);
      const { key, value } = await abortOnUnknown(active, instance, read);
      if (value === undefined) throw new PacelineError('PACELINE_PARAMETER_UNSET', `${key} has no value yet`);
      return reply.type('text/plain; charset=utf-8').send(value);
    });

    scope.put<KeyRequest & { Body: string }>('/run/:run/:key', { schema: { hide: true } }, async (request, reply) => {
      await write(request, request.body ?? '');
      return reply.type('text/plain; charset=utf-8').send('');
    });

    scope.delete<KeyRequest>('/run/:run/:key', { schema: { hide: true } }, async (request, reply) => {
      await write(request, '');
      return reply.status(204).send();
    });

    // An executor of old tells by this that its instance has completed the present state.
    scope.post<KeyRequest>('/run/:run/:key', { schema: { hide: true } }, async (request, reply) => {
      const who = await whoAsks(request);
      if (typeof who === 'string' || request.params.key !== `${who.instance.name}:complete`) {
        throw new PacelineError('PACELINE_FORBIDDEN', 'Only an instance can complete a state, and only its own');
      }
      await who.active.decide((run, now) => completeState(run, who.instance, run.facts.seq, now));
      return reply.type('text/plain; charset=utf-8').send(who.active.run.facts.state);
    });

    scope.delete<KeyRequest>('/run/:run', { schema: { hide: true } }, async (request, reply) => {
      const id = await access.run(request, request.params.run);
      await engine
        .findActive(id)
        ?.decide((run, now) => (hasEnded(run) ? [] : end(run, run.facts.state === 'Ready' ? natural(run) : 'Cancelled', 'a user', now)));
      return reply.status(204).send();
    });
  });
}

/** SlipStream's rule: a machine that names an unknown key has a mistake in its recipe, and ends the run. */
async function abortOnUnknown<T>(active: ActiveRun, instance: Agent['instance'] | undefined, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (instance !== undefined && isPacelineError(error) && error.code === 'PACELINE_PARAMETER_UNKNOWN') {
      await active.decide((run, now) => abortChanges(run, `${instance.name}:abort`, error.message, now));
    }
    throw error;
  }
}

function findAgent(authenticate: () => Agent): Agent | undefined {
  try {
    return authenticate();
  } catch (error) {
    if (isPacelineError(error) && error.code === 'PACELINE_UNAUTHENTICATED') return undefined;
    throw error;
  }
}

function sendText(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = toPacelineError(thrown);
  if (error.status >= 500) request.log.error({ err: error.cause ?? error }, error.message);
  void reply.status(error.status).type('text/plain; charset=utf-8').send(error.message);
}
