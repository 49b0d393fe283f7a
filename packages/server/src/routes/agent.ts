import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { joinRequest, opsRequest } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { hearAgent } from '../agent-link.ts';
import { bearerOf } from '../auth/bearer.ts';
import { forward, noteOwner } from '../replicas.ts';
import { logRefusal } from '../problem.ts';
import { eventsTo, openEventStream } from '../sse.ts';
import { canUpgrade, takeConnection } from '../upgrades.ts';
import type { App, RouteContext } from './routes.ts';

const maxJoinBytes = 16 * 1024;
const maxOpsBytes = 16 * 1024 * 1024;
/** Joins of one instance that are heard in a minute; a machine needs one. */
const joinsPerMinute = 30;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** The agents' protocol is not for people's programs: @paceline/api describes it. */
const hide = true;
const reportParams = z.strictObject({ name: z.string().max(300) });

/** What agents use. Each has a key of its own, good for its own instance. */
export function agentRoutes(app: App, { engine, agents }: RouteContext): void {
  /** Before a body is read. */
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    const key = bearerOf(request);
    await engine.authenticate(key).catch((error: unknown) => noteOwner(engine, request, key, error));
  };

  app.get('/agent/files/:digest', { schema: { hide, params: z.strictObject({ digest: sha256 }) } }, async (request, reply) => {
    const path = await agents.find(request.params.digest);
    if (path === undefined) {
      throw new PacelineError('PACELINE_NOT_FOUND', 'This server does not have that agent', {
        hint: 'The machine was launched by a server with another state directory.',
      });
    }
    return reply.type('text/javascript').header('cache-control', 'public, max-age=31536000, immutable').send(createReadStream(path));
  });

  app.post(
    '/agent/join',
    {
      bodyLimit: maxJoinBytes,
      schema: { hide, body: joinRequest },
      config: {
        rateLimit: {
          max: joinsPerMinute,
          timeWindow: '1 minute',
          hook: 'preHandler',
          keyGenerator: (request) => {
            const { run, instance } = request.body as { run: string; instance: string };
            return `${run} ${instance}`;
          },
        },
      },
    },
    async (request, reply) => {
      const owner = await engine.ownerUrl(request.body.run);
      return owner === undefined ? engine.join(request.body) : forward(request, reply, owner);
    },
  );

  app.get('/agent/stream', { onRequest, schema: { hide } }, async (request, reply) => {
    const gone = new AbortController();
    const agent = await engine.authenticate(bearerOf(request));
    const leave = agent.connect(() => {
      const socket = canUpgrade(request.raw) ? takeConnection(reply) : undefined;
      const out = socket === undefined ? openEventStream(reply) : eventsTo(socket);
      if (socket !== undefined) hearAgent(socket, out, agent, maxOpsBytes, (error) => logRefusal(error, request.log));
      out.signal.addEventListener('abort', () => gone.abort());
      return { send: (event, data) => out.send(event, data), close: () => out.close() };
    });
    if (gone.signal.aborted) leave();
    else gone.signal.addEventListener('abort', leave);
  });

  app.post('/agent/ops', { onRequest, bodyLimit: maxOpsBytes, schema: { hide, body: opsRequest } }, async (request) => {
    const agent = await engine.authenticate(bearerOf(request));
    return { results: await agent.ops(request.body) };
  });

  app.get('/agent/scripts/:digest', { onRequest, schema: { hide, params: z.strictObject({ digest: sha256 }) } }, async (request, reply) => {
    const agent = await engine.authenticate(bearerOf(request));
    return reply.type('text/plain; charset=utf-8').send(agent.script(request.params.digest));
  });

  app.get('/agent/reports/:name', { onRequest, schema: { hide, params: reportParams } }, async (request) => {
    const agent = await engine.authenticate(bearerOf(request));
    return agent.reportProgress(request.params.name);
  });

  // The body is a stream of bytes that no parser may gather in memory.
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.put(
      '/agent/reports/:name',
      {
        onRequest,
        bodyLimit: Number.MAX_SAFE_INTEGER,
        schema: {
          hide,
          params: reportParams,
          querystring: z.strictObject({
            offset: z.coerce.number().int().min(0),
            size: z.coerce.number().int().min(1),
            sha256,
          }),
        },
      },
      async (request) => {
        const who = await engine.authenticate(bearerOf(request));
        const { name } = request.params as z.infer<typeof reportParams>;
        const part = request.query as { offset: number; size: number; sha256: string };
        return who.receiveReport(name, part, request.body as Readable);
      },
    );
  });
}
