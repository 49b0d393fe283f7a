import { everyProject, reapReport, reapRequest } from '@paceline/api';
import type { FastifyRequest } from 'fastify';
import type { Access } from '../auth/access.ts';
import { includes, roleIn } from '../auth/roles.ts';
import type { App, RouteContext } from './routes.ts';

export function reapRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const reap = {
    operationId: 'reap',
    summary: 'Find, or remove, what the clouds have that no run needs',
    tags: ['server'],
    body: reapRequest,
    response: { 200: reapReport },
  };
  app.post('/api/reap', { schema: reap, config: { anyLogin: true } }, async (request) => {
    const { remove, runs } = request.body;
    if (runs === undefined) await access.server(request, 'operator');
    const named = runs === undefined ? undefined : await Promise.all(runs.map((run) => ownRun(access, request, run)));
    const { orphans, accounts, failures, seen } = await engine.reap(remove, named);
    return {
      seen,
      accounts,
      failures,
      orphans: orphans.map(({ cloud, resource: { kind, id, name, owner }, reason, outcome }) => ({
        ...{ cloud, kind, id, name, reason, outcome },
        run: owner.run,
      })),
    };
  });
}

/** An operator may name runs that the store has lost; a deployer its own. */
async function ownRun(access: Access, request: FastifyRequest, run: string): Promise<string> {
  const identity = await access.identity(request);
  return includes(roleIn(identity, everyProject), 'operator') ? run : access.run(request, run);
}
