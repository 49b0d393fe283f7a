import { randomUUID } from 'node:crypto';
import { scaleAnswer, scaleRequest } from '@paceline/api';
import { runParams, type App, type RouteContext } from './routes.ts';

export function scaleRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const scale = {
    operationId: 'scaleRun',
    summary: 'Add, remove or resize machines of a scalable run',
    description: 'The run has to be Ready, and is Ready again when its machines have done their part.',
    tags: ['runs'],
    params: runParams,
    body: scaleRequest,
    response: { 202: scaleAnswer },
  };
  app.post('/api/runs/:run/scale', { schema: scale }, async (request, reply) => {
    const active = await engine.activeRun(await access.run(request, request.params.run));
    const { id = randomUUID(), node, ...wish } = request.body;
    const instances = await active.scale({ id, node, wish }, {}, await access.nameOf(request));
    return reply.status(202).send({ run: await engine.runDetail(active.id), instances });
  });
}
