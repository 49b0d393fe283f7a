import { createHmac } from 'node:crypto';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import replyFrom from '@fastify/reply-from';
import { runOfKey, type Engine } from '@paceline/engine';
import { isPacelineError, PacelineError } from '@paceline/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sameText } from './auth/access.ts';
import type { App } from './routes/routes.ts';
import { canUpgrade, takeConnection } from './upgrades.ts';

const forwarded = 'x-paceline-forwarded';
/** How long a replica may take to answer. */
const ownerTimeoutMs = 20_000;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

declare module 'fastify' {
  interface FastifyRequest {
    /** The replica that drives the run which the request is about, when it is another one. */
    owner: string | undefined;
    /** Another replica has handed the request over, and has recorded it. */
    handedOver: boolean;
    /** The run that who asks means, of those that they may see, when they have named one that is not an agent's. */
    runId: string | undefined;
  }
  interface FastifyInstance {
    /** By this replicas know what comes from each other. */
    handover: string;
  }
  interface FastifyContextConfig {
    /** Any replica can answer by itself. */
    anyReplica?: boolean;
  }
}

/** Hands requests about a run to the replica that drives it. To be registered before the routes. */
export async function forwardToOwners(app: App, engine: Engine, serverKey: Buffer): Promise<void> {
  app.decorate('handover', createHmac('sha256', serverKey).update('handover').digest('hex'));
  app.decorateRequest('handedOver', false);
  app.addHook('onRequest', async (request) => {
    const said = request.headers[forwarded];
    request.handedOver = typeof said === 'string' && sameText(said, app.handover);
  });
  await app.register(replyFrom, { disableRequestLogging: true, retryMethods: [], undici: { bodyTimeout: 0, connections: null } });
  app.decorateRequest('owner', undefined);
  app.decorateRequest('runId', undefined);
  // Once the body is there: it goes along.
  app.addHook('preHandler', async (request, reply) => {
    if (request.routeOptions.config.anyReplica === true) return;
    const { run } = (request.params ?? {}) as { run?: string };
    const id = request.runId ?? (run !== undefined && uuid.test(run) ? run : undefined);
    const owner = request.owner ?? (id === undefined ? undefined : await engine.ownerUrl(id));
    if (owner !== undefined) return forward(request, reply, owner);
  });
}

/** Hands a request over. */
export function forward(request: FastifyRequest, reply: FastifyReply, owner: string): FastifyReply | Promise<FastifyReply> {
  if (request.handedOver) {
    throw new PacelineError('PACELINE_STORE_FAILED', 'The run is changing hands', { hint: 'Try again in a moment.' });
  }
  // It may be part of a program that has it below an address of its own.
  const address = new URL(`${owner.replace(/\/$/, '')}${request.url}`);
  if (canUpgrade(request.raw)) return forwardUpgrade(request, reply, address);
  return reply.from(address.href, {
    rewriteRequestHeaders: (_request, headers) => ({ ...headers, [forwarded]: request.server.handover }),
    onError: (failed, { error }) => void failed.send(ownerSilent(error)),
  });
}

/** Joins a connection for both ways to one of the owner's, or passes on why there is none. */
async function forwardUpgrade(request: FastifyRequest, reply: FastifyReply, address: URL): Promise<FastifyReply> {
  const ask = address.protocol === 'https:' ? httpsRequest : httpRequest;
  const asked = ask(address, {
    headers: { ...request.headers, [forwarded]: request.server.handover },
    agent: false,
    timeout: ownerTimeoutMs,
  });
  asked.on('timeout', () => asked.destroy(new Error(`no answer for ${ownerTimeoutMs / 1000} s`)));
  reply.raw.on('close', () => asked.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | undefined>();
  asked.on('error', reject);
  asked.on('response', resolve);
  asked.on('upgrade', (_response, owner: Socket, head: Buffer) => {
    owner.setTimeout(0);
    owner.on('error', () => owner.destroy());
    const agent = takeConnection(reply);
    agent.on('close', () => owner.destroy());
    owner.on('close', () => agent.destroy());
    if (head.length > 0) owner.unshift(head);
    agent.pipe(owner).pipe(agent);
    resolve(undefined);
  });
  asked.end();
  const answer = await promise.catch((error: unknown) => {
    throw ownerSilent(error);
  });
  if (answer === undefined) return reply;
  return reply
    .status(answer.statusCode ?? 502)
    .headers({ 'content-type': answer.headers['content-type'] })
    .send(answer);
}

function ownerSilent(cause: unknown): PacelineError {
  return new PacelineError('PACELINE_STORE_FAILED', 'The server that drives the run does not answer', {
    cause,
    hint: 'Another one takes over in a moment: try again.',
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
