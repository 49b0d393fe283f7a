import { isPacelineError, PacelineError } from '@paceline/model';
import type { ActiveRun, Agent, Asker, Engine } from '@paceline/engine';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bearerOf } from '../auth/bearer.ts';
import { refuse } from '../problem.ts';
import { noteOwner } from '../replicas.ts';
import type { App, RouteContext } from './routes.ts';
import { addInstances, instancesOf, isNodeOf, removeInstances } from './slipstream-nodes.ts';

interface KeyRequest {
  Params: { run: string; key: string };
  Querystring: { ignoreabort?: string };
}

/**
 * SlipStream's text API on `/run/<uuid>/<key>` and `/run/<uuid>/<node>`: plain values in and out, and its status codes (409 abort
 * flag raised, 412 not set yet, 404 unknown, 417 ended), for the clients and scripts that speak it.
 */
export function slipstreamRoutes(app: App, { engine, access }: RouteContext): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    scope.setErrorHandler(sendText);

    const whoAsks = async (request: FastifyRequest<KeyRequest>): Promise<Agent | string> => {
      const key = bearerOf(request);
      const agent = await engine.authenticate(key).catch((error: unknown) => unlessKnown(engine, request, key, error));
      if (request.owner !== undefined) return request.params.run;
      if (agent === undefined) return access.run(request, request.params.run);
      if (agent.active.id !== request.params.run) throw new PacelineError('PACELINE_FORBIDDEN', 'This key belongs to another run');
      return agent;
    };
    // Before a body is read.
    scope.addHook<KeyRequest>('onRequest', async (request) => void (await whoAsks(request)));

    const asked = async (request: FastifyRequest<KeyRequest>): Promise<{ active: ActiveRun; asker: Asker }> => {
      const who = await whoAsks(request);
      const ignoreAbort = request.query.ignoreabort === 'true';
      if (typeof who === 'string') return { active: await engine.activeRun(who), asker: { ignoreAbort, by: await access.nameOf(request) } };
      return { active: who.active, asker: { ignoreAbort, instance: who.name } };
    };
    /** A user who speaks of a node. Machines may not scale the run that they are a part of. */
    const scaled = async (request: FastifyRequest<KeyRequest>): Promise<{ active: ActiveRun; by: string | undefined } | undefined> => {
      const { active, asker } = await asked(request);
      if (!isNodeOf(active, request.params.key)) return undefined;
      if (asker.instance !== undefined)
        throw new PacelineError('PACELINE_FORBIDDEN', 'A machine cannot scale its own run', { hint: "Use the run's token." });
      return { active, by: asker.by };
    };
    const write = async (request: FastifyRequest<KeyRequest>, value: string): Promise<void> => {
      const { active, asker } = await asked(request);
      await active.write(request.params.key, value, false, asker);
    };

    scope.get<KeyRequest>('/run/:run/:key', { schema: { hide: true } }, async (request, reply) => {
      const { active, asker } = await asked(request);
      if (isNodeOf(active, request.params.key))
        return reply.type('text/plain; charset=utf-8').send(instancesOf(active, request.params.key));
      const { key, value, secret } = await active.read(request.params.key, asker);
      // The text has no mask: whoever may not reveal the secret is told so.
      if (secret && asker.instance === undefined) await access.run(request, active.id, 'change');
      if (value === undefined) throw new PacelineError('PACELINE_PARAMETER_UNSET', `${key} has no value yet`);
      return reply.type('text/plain; charset=utf-8').send(value);
    });

    scope.put<KeyRequest & { Body: string }>('/run/:run/:key', { schema: { hide: true } }, async (request, reply) => {
      await write(request, request.body ?? '');
      return reply.type('text/plain; charset=utf-8').send('');
    });

    scope.delete<KeyRequest & { Body: string }>('/run/:run/:key', { schema: { hide: true } }, async (request, reply) => {
      const asking = await scaled(request);
      if (asking !== undefined) {
        await removeInstances(asking.active, request.params.key, request.body ?? '', asking.by);
        return reply.status(204).send();
      }
      await write(request, '');
      return reply.status(204).send();
    });

    // An executor of old tells by this that its instance has completed the present state.
    // And users add machines to a node.
    scope.post<KeyRequest & { Body: string }>('/run/:run/:key', { schema: { hide: true } }, async (request, reply) => {
      const who = await whoAsks(request);
      const asking = await scaled(request);
      if (asking !== undefined) {
        const names = await addInstances(asking.active, request.params.key, request.body ?? '', asking.by);
        return reply.status(201).type('text/plain; charset=utf-8').send(names);
      }
      if (typeof who === 'string' || request.params.key !== `${who.name}:complete`) {
        throw new PacelineError('PACELINE_FORBIDDEN', 'Only an instance can complete a state, and only its own');
      }
      await who.active.complete(who.name);
      return reply.type('text/plain; charset=utf-8').send(who.active.run.facts.state);
    });

    scope.delete<KeyRequest>('/run/:run', { schema: { hide: true } }, async (request, reply) => {
      const id = await access.run(request, request.params.run);
      await engine.terminate(id, await access.nameOf(request));
      return reply.status(204).send();
    });
  });
}

/** A key of no agent may be a user's token; one of another replica's agent is checked there. */
async function unlessKnown(engine: Engine, request: FastifyRequest, key: string, error: unknown): Promise<undefined> {
  if (isPacelineError(error) && error.code === 'PACELINE_UNAUTHENTICATED') return undefined;
  await noteOwner(engine, request, key, error);
  return undefined;
}

function sendText(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { message } = refuse(thrown, request, reply);
  void reply.type('text/plain; charset=utf-8').send(message);
}
