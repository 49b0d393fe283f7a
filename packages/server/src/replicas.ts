import replyFrom from '@fastify/reply-from';
import { runOfKey, type Engine } from '@paceline/engine';
import { isPacelineError, PacelineError } from '@paceline/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from './routes/routes.ts';

const forwarded = 'x-paceline-forwarded';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

declare module 'fastify' {
  interface FastifyRequest {
    /** The replica that drives the run which the request is about, when it is another one. */
    owner: string | undefined;
  }
  interface FastifyContextConfig {
    /** Any replica can answer by itself. */
    anyReplica?: boolean;
  }
}

/** Hands requests about a run to the replica that drives it. To be registered before the routes. */
export async function forwardToOwners(app: App, engine: Engine): Promise<void> {
  await app.register(replyFrom, { disableRequestLogging: true, retryMethods: [], undici: { bodyTimeout: 0, connections: null } });
  app.decorateRequest('owner', undefined);
  // Once the body is there: it goes along.
  app.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.config.anyReplica === true) return;
    const { run } = (request.params ?? {}) as { run?: string };
    const owner = request.owner ?? (run === undefined ? undefined : await ownerOf(engine, run));
    if (owner !== undefined) return forward(request, reply, owner);
  });
}

/** Hands a request over. */
export function forward(request: FastifyRequest, reply: FastifyReply, owner: string): FastifyReply {
  if (request.headers[forwarded] !== undefined) {
    throw new PacelineError('PACELINE_STORE_FAILED', 'The run is changing hands', { hint: 'Try again in a moment.' });
  }
  return reply.from(new URL(request.url, owner).href, {
    rewriteRequestHeaders: (_request, headers) => ({ ...headers, [forwarded]: '1' }),
    onError: (failed, { error }) => {
      void failed.send(
        new PacelineError('PACELINE_STORE_FAILED', 'The server that drives the run does not answer', {
          cause: error,
          hint: 'Another one takes over in a moment: try again.',
        }),
      );
    },
  });
}

/**
 * Notes the owner of an agent's run when it is another replica, which then checks the key.
 * @throws what `authenticate` threw otherwise
 */
export async function noteOwner(engine: Engine, request: FastifyRequest, key: string, error: unknown): Promise<void> {
  const run = runOfKey(key);
  if (isPacelineError(error) && error.code === 'PACELINE_STORE_FAILED' && run !== undefined) request.owner = await engine.ownerUrl(run);
  if (request.owner === undefined) throw error;
}

async function ownerOf(engine: Engine, text: string): Promise<string | undefined> {
  const run = uuid.test(text) ? text : await engine.resolveRun(text).catch(() => undefined);
  return run === undefined ? undefined : engine.ownerUrl(run);
}
