import { reapReport, reapRequest } from '@paceline/api';
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
  app.post('/api/reap', { schema: reap }, async (request) => {
    const { orphans, failures, seen } = await engine.reap(request.body.remove);
    return {
      seen,
      failures,
      orphans: orphans.map(({ cloud, reason, resource: { kind, id, name, owner } }) => ({ cloud, kind, id, name, run: owner.run, reason })),
    };
  });
}
