import { abortRequest, createdRun, runDetail, runList, runRequest } from '@paceline/api';
import { abortChanges, cancelAbortChanges, end, natural } from '@paceline/engine';
import * as z from 'zod';
import type { App, RouteContext } from './routes.ts';

const maxRunRequestBytes = 16 * 1024 * 1024;
const runParams = z.strictObject({ run: z.string().max(200) });

export function runRoutes(app: App, { engine, access }: RouteContext): void {
  app.post('/api/runs', { bodyLimit: maxRunRequestBytes, schema: { body: runRequest, response: { 201: createdRun } } }, async (request, reply) => {
    access.operator(request);
    const created = await engine.createRun(request.body, 'operator');
    return reply.status(201).header('location', `/api/runs/${created.run.id}`).send(created);
  });

  app.get(
    '/api/runs',
    {
      schema: {
        querystring: z.strictObject({
          active: z.stringbool().default(false),
          limit: z.coerce.number().int().min(1).max(500).default(50),
          offset: z.coerce.number().int().min(0).default(0),
        }),
        response: { 200: runList },
      },
    },
    async (request) => {
      access.operator(request);
      const { active, limit, offset } = request.query;
      return { runs: await engine.listRuns({ activeOnly: active, limit, offset }) };
    },
  );

  app.get('/api/runs/:run', { schema: { params: runParams, response: { 200: runDetail } } }, async (request) => {
    return engine.runDetail(await access.run(request, request.params.run));
  });

  // Ready runs end as they are; a run that is still on its way is cancelled.
  app.delete('/api/runs/:run', { schema: { params: runParams, response: { 202: runDetail } } }, async (request, reply) => {
    const id = await access.run(request, request.params.run);
    const active = engine.findActive(id);
    await active?.decide((run, now) => end(run, run.facts.state === 'Ready' ? natural(run) : 'Cancelled', 'a user', now));
    return reply.status(202).send(await engine.runDetail(id));
  });

  app.post(
    '/api/runs/:run/abort',
    { schema: { params: runParams, body: abortRequest, response: { 202: runDetail } } },
    async (request, reply) => {
      const active = await engine.activeRun(await access.run(request, request.params.run));
      await active.decide((run, now) => abortChanges(run, 'ss:abort', request.body.reason, now));
      return reply.status(202).send(await engine.runDetail(active.run.id));
    },
  );

  app.delete('/api/runs/:run/abort', { schema: { params: runParams, response: { 202: runDetail } } }, async (request, reply) => {
    const active = await engine.activeRun(await access.run(request, request.params.run));
    await active.decide((run, now) => cancelAbortChanges(run, run.facts.abort?.source ?? 'ss:abort', now));
    return reply.status(202).send(await engine.runDetail(active.run.id));
  });
}
