import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { joinRequest, opsRequest } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import { bearerOf } from '../auth/bearer.ts';
import { openEventStream } from '../sse.ts';
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
export function agentRoutes(app: App, { engine, agent }: RouteContext): void {
  /** Before a body is read. */
  const onRequest = async (request: FastifyRequest): Promise<void> => void engine.authenticate(bearerOf(request));

  app.get('/agent/files/:digest', { schema: { hide, params: z.strictObject({ digest: sha256 }) } }, async (request, reply) => {
    if (request.params.digest !== agent.sha256) {
      throw new PacelineError('PACELINE_NOT_FOUND', 'This server has another agent', {
        hint: 'The machine was launched by another version of the engine.',
      });
    }
    return reply.type('text/javascript').header('cache-control', 'public, max-age=31536000, immutable').send(createReadStream(agent.path));
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
    (request) => engine.join(request.body),
  );

  app.get('/agent/stream', { onRequest, schema: { hide } }, (request, reply) => {
    const { active, instance } = engine.authenticate(bearerOf(request));
    const out = openEventStream(reply);
    const leave = active.connect(instance, { send: (event, data) => out.send(event, data), close: () => out.close() });
    out.signal.addEventListener('abort', leave);
  });

  app.post('/agent/ops', { onRequest, bodyLimit: maxOpsBytes, schema: { hide, body: opsRequest } }, async (request) => {
    const { active, instance } = engine.authenticate(bearerOf(request));
    return { results: await active.ops(instance, request.body.ops) };
  });

  app.get('/agent/scripts/:digest', { onRequest, schema: { hide, params: z.strictObject({ digest: sha256 }) } }, async (request, reply) => {
    const text = engine.script(engine.authenticate(bearerOf(request)), request.params.digest);
    return reply.type('text/plain; charset=utf-8').send(text);
  });

  app.get('/agent/reports/:name', { onRequest, schema: { hide, params: reportParams } }, async (request) => {
    return engine.reportProgress(engine.authenticate(bearerOf(request)), request.params.name);
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
        const who = engine.authenticate(bearerOf(request));
        const { name } = request.params as z.infer<typeof reportParams>;
        const part = request.query as { offset: number; size: number; sha256: string };
        return engine.receiveReport(who, name, part, request.body as Readable);
      },
    );
  });
}
