import { abortRequest, createdRun, runDetail, runList, runRequest } from '@paceline/api';
import * as z from 'zod';
import { projectFor } from '../auth/project-for.ts';
import { projectsWith } from '../auth/roles.ts';
import { wantsStream } from '../sse.ts';
import { streamChanges } from './run-changes.ts';
import { runParams, type App, type RouteContext } from './routes.ts';

const maxRunRequestBytes = 16 * 1024 * 1024;
const tags = ['runs'];

export function runRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const create = {
    operationId: 'createRun',
    summary: 'Start a run',
    description: 'The token in the answer is good for this run alone and is shown once.',
    tags,
    body: runRequest,
    response: { 201: createdRun },
  };
  app.post('/api/runs', { bodyLimit: maxRunRequestBytes, schema: create, config: { anyLogin: true } }, async (request, reply) => {
    const identity = await access.identity(request);
    const created = await engine.createRun({ ...request.body, project: projectFor(identity, request.body.project) }, identity.name);
    request.audited = { subject: created.run.id };
    return reply.status(201).header('location', `/api/runs/${created.run.id}`).send(created);
  });

  app.get(
    '/api/runs',
    {
      schema: {
        operationId: 'listRuns',
        summary: 'List the runs that you may see, the newest first',
        description: 'With `accept: text/event-stream` those that change from now on, each time as they are then.',
        tags,
        querystring: z.strictObject({
          active: z.stringbool().default(false),
          limit: z.coerce.number().int().min(1).max(500).default(50),
          offset: z.coerce.number().int().min(0).default(0),
          tag: z.string().max(200).optional().describe('Only those that have it'),
          text: z.string().max(200).optional().describe('Only those that this can mean: the beginning of an id, or a name'),
          after: z.coerce.number().int().min(0).optional().describe('Of no meaning: streams of changes begin at the present'),
        }),
        response: { 200: runList },
      },
      config: { anyLogin: true },
    },
    async (request, reply) => {
      const { active, ...filter } = request.query;
      const projects = projectsWith(await access.identity(request), 'viewer');
      if (wantsStream(request)) return streamChanges(engine, reply, projects);
      return { runs: await engine.listRuns({ ...filter, activeOnly: active, projects }) };
    },
  );

  const get = { operationId: 'getRun', summary: 'Look at a run and its instances', tags, params: runParams, response: { 200: runDetail } };
  app.get('/api/runs/:run', { schema: get }, async (request) => {
    return engine.runDetail(await access.run(request, request.params.run));
  });

  // Ready runs end as they are; a run that is still on its way is cancelled.
  const terminate = {
    operationId: 'terminateRun',
    summary: 'End a run and its machines',
    tags,
    params: runParams,
    response: { 202: runDetail },
  };
  app.delete('/api/runs/:run', { schema: terminate }, async (request, reply) => {
    const id = await access.run(request, request.params.run);
    await engine.terminate(id, await access.nameOf(request));
    return reply.status(202).send(await engine.runDetail(id));
  });

  const abort = {
    operationId: 'abortRun',
    summary: 'Raise the abort flag: scripts are stopped, reports still come',
    tags,
    params: runParams,
    body: abortRequest,
    response: { 202: runDetail },
  };
  app.post('/api/runs/:run/abort', { schema: abort }, async (request, reply) => {
    const active = await engine.activeRun(await access.run(request, request.params.run));
    await active.abort(request.body.reason, await access.nameOf(request));
    return reply.status(202).send(await engine.runDetail(active.id));
  });

  const cancelAbort = {
    operationId: 'cancelAbort',
    summary: 'Take the abort flag down',
    tags,
    params: runParams,
    response: { 202: runDetail },
  };
  app.delete('/api/runs/:run/abort', { schema: cancelAbort }, async (request, reply) => {
    const active = await engine.activeRun(await access.run(request, request.params.run));
    await active.cancelAbort(await access.nameOf(request));
    return reply.status(202).send(await engine.runDetail(active.id));
  });
}
