import { serverInfo } from '@paceline/api';
import * as z from 'zod';
import type { App, RouteContext } from './routes.ts';

export function metaRoutes(app: App, { engine, access, version }: RouteContext): void {
  const health = {
    operationId: 'health',
    summary: 'Whether the server answers; needs no token',
    tags: ['server'],
    security: [],
    response: {
      200: z
        .object({ status: z.literal('ok'), note: z.string().optional().describe('What an operator should look after') })
        .describe('It does'),
    },
  };
  // Whoever asks need not be anybody: which clouds they are is told to operators.
  app.get('/api/health', { schema: health }, () => {
    const { length: closed } = engine.clouds.closed;
    const note = `${closed} of ${engine.clouds.names.length} clouds cannot be used: see \`paceline clouds\``;
    return { status: 'ok' as const, ...(closed > 0 && { note }) };
  });

  const info = { operationId: 'info', summary: 'Version and clouds of the server', tags: ['server'], response: { 200: serverInfo } };
  app.get('/api/info', { schema: info }, async (request) => {
    await access.identity(request);
    return { name: 'paceline' as const, version, clouds: engine.clouds.names };
  });

  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
