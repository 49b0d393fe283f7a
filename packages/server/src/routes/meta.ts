import { serverInfo } from '@paceline/api';
import * as z from 'zod';
import type { App, RouteContext } from './routes.ts';

export function metaRoutes(app: App, { engine, access, version }: RouteContext): void {
  app.get('/api/health', { schema: { response: { 200: z.strictObject({ status: z.literal('ok') }) } } }, () => ({ status: 'ok' as const }));

  app.get('/api/info', { schema: { response: { 200: serverInfo } } }, (request) => {
    access.operator(request);
    return { name: 'paceline' as const, version, clouds: engine.clouds };
  });

  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
