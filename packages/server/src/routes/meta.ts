import { serverInfo } from '@paceline/api';
import * as z from 'zod';
import type { App, RouteContext } from './routes.ts';

export function metaRoutes(app: App, { engine, access, version }: RouteContext): void {
  const health = {
    operationId: 'health',
    summary: 'Whether the server answers; needs no token',
    tags: ['server'],
    security: [],
    response: { 200: z.object({ status: z.literal('ok') }).describe('It does') },
  };
  app.get('/api/health', { schema: health }, () => ({ status: 'ok' as const }));

  const info = { operationId: 'info', summary: 'Version and clouds of the server', tags: ['server'], response: { 200: serverInfo } };
  app.get('/api/info', { schema: info }, async (request) => {
    await access.identity(request);
    return { name: 'paceline' as const, version, clouds: engine.clouds };
  });

  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
