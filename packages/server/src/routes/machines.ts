import { hostname } from 'node:os';
import { consolePiece, wayInAnswer } from '@paceline/api';
import * as z from 'zod';
import { runParams, type App, type RouteContext } from './routes.ts';

const params = runParams.extend({ instance: z.string().max(200) });
const tags = ['machines'];

export function machineRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const console = {
    operationId: 'readConsole',
    summary: "Read a machine's console",
    tags,
    params,
    querystring: z.strictObject({ since: z.coerce.number().int().min(0).default(0).describe('The byte to begin at') }),
    response: { 200: consolePiece },
  };
  app.get('/api/runs/:run/instances/:instance/console', { schema: console }, async (request) => {
    const run = await access.run(request, request.params.run);
    return engine.machines.console(run, request.params.instance, request.query.since);
  });

  // No GET: who may only look at a run may not go into its machines.
  const wayIn = {
    operationId: 'findWayIn',
    summary: 'Learn how to get a shell on a machine',
    description: 'No secret is in the answer: who goes in uses keys of their own.',
    tags,
    params,
    response: { 200: wayInAnswer },
  };
  app.post('/api/runs/:run/instances/:instance/way-in', { schema: wayIn }, async (request) => {
    const run = await access.run(request, request.params.run);
    return { on: hostname(), way: await engine.machines.wayIn(run, request.params.instance) };
  });
}
