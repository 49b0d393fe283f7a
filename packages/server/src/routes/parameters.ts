import { parameterList, parameterView, parameterWrite } from '@paceline/api';
import { listParameters, readParameter } from '@paceline/engine';
import * as z from 'zod';
import { nothing, runParams, type App, type RouteContext } from './routes.ts';

const maxParameterBytes = 7 * 1024 * 1024;
const keyParams = z.strictObject({ ...runParams.shape, key: z.string().max(300) });
const tags = ['parameters'];

export function parameterRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const list = {
    operationId: 'listParameters',
    summary: 'List all parameters; secrets are masked',
    tags,
    params: runParams,
    response: { 200: parameterList },
  };
  app.get('/api/runs/:run/parameters', { schema: list }, async (request) => {
    return { parameters: await engine.see(await access.run(request, request.params.run), listParameters) };
  });

  app.get(
    '/api/runs/:run/parameters/:key',
    {
      schema: {
        operationId: 'getParameter',
        summary: 'Read a parameter; `reveal` shows a secret',
        tags,
        params: keyParams,
        querystring: z.strictObject({ reveal: z.stringbool().default(false) }),
        response: { 200: parameterView },
      },
    },
    async (request) => {
      const { reveal } = request.query;
      const id = await access.run(request, request.params.run, reveal ? 'change' : 'read');
      const { key, value, secret } = await engine.see(id, (run) => readParameter(run, request.params.key));
      const shown = value === undefined ? null : secret && !reveal ? '***' : value;
      return { key, value: shown, secret };
    },
  );

  const set = {
    operationId: 'setParameter',
    summary: 'Set a parameter; answered once the value is stored',
    tags,
    params: keyParams,
    body: parameterWrite,
    response: { 200: parameterView },
  };
  app.put('/api/runs/:run/parameters/:key', { bodyLimit: maxParameterBytes, schema: set }, async (request) => {
    const active = await engine.activeRun(await access.run(request, request.params.run));
    const { value, secret } = request.body;
    await active.write(request.params.key, value, secret, { by: await access.nameOf(request) });
    const reading = await active.read(request.params.key);
    return { key: reading.key, value: reading.secret ? '***' : (reading.value ?? null), secret: reading.secret };
  });

  const unset = {
    operationId: 'unsetParameter',
    summary: 'Take the value of a parameter away',
    tags,
    params: keyParams,
    response: { 204: nothing },
  };
  app.delete('/api/runs/:run/parameters/:key', { schema: unset }, async (request, reply) => {
    const active = await engine.activeRun(await access.run(request, request.params.run));
    await active.write(request.params.key, '', false, { by: await access.nameOf(request) });
    return reply.status(204).send(null);
  });
}
