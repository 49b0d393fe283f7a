import { parameterList, parameterView, parameterWrite } from '@paceline/api';
import { listParameters, readParameter, writeParameter } from '@paceline/engine';
import * as z from 'zod';
import type { App, RouteContext } from './routes.ts';

const maxParameterBytes = 7 * 1024 * 1024;
const runParams = z.strictObject({ run: z.string().max(200) });
const keyParams = z.strictObject({ run: z.string().max(200), key: z.string().max(300) });

export function parameterRoutes(app: App, { engine, access }: RouteContext): void {
  app.get('/api/runs/:run/parameters', { schema: { params: runParams, response: { 200: parameterList } } }, async (request) => {
    const run = await engine.run(await access.run(request, request.params.run));
    return { parameters: listParameters(run) };
  });

  app.get(
    '/api/runs/:run/parameters/:key',
    {
      schema: {
        params: keyParams,
        querystring: z.strictObject({ reveal: z.stringbool().default(false) }),
        response: { 200: parameterView },
      },
    },
    async (request) => {
      const run = await engine.run(await access.run(request, request.params.run));
      const { key, value, secret } = readParameter(run, request.params.key);
      const shown = value === undefined ? null : secret && !request.query.reveal ? '***' : value;
      return { key, value: shown, secret };
    },
  );

  app.put(
    '/api/runs/:run/parameters/:key',
    { bodyLimit: maxParameterBytes, schema: { params: keyParams, body: parameterWrite, response: { 200: parameterView } } },
    async (request) => {
      const active = await engine.activeRun(await access.run(request, request.params.run));
      const { value, secret } = request.body;
      await active.decide((run, now) => writeParameter(run, request.params.key, value, secret, 'user', now));
      const reading = readParameter(active.run, request.params.key);
      return { key: reading.key, value: reading.secret ? '***' : (reading.value ?? null), secret: reading.secret };
    },
  );

  app.delete('/api/runs/:run/parameters/:key', { schema: { params: keyParams } }, async (request, reply) => {
    const active = await engine.activeRun(await access.run(request, request.params.run));
    await active.decide((run, now) => writeParameter(run, request.params.key, '', false, 'user', now));
    return reply.status(204).send();
  });
}
