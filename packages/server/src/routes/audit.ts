import { auditList } from '@paceline/api';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod';
import type { Access } from '../auth/access.ts';
import type { AuditLog } from '../auth/audit-log.ts';
import type { App, RouteContext } from './routes.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the record is to say of a request that does not say it itself: who logs in, what was made. */
    audited: { actor?: string; subject?: string } | undefined;
  }
}

const mostEntries = 500;
const longestSubject = 500;

/** Records who asks for which change, before it is answered. To be registered before the routes. */
export function recordChanges(app: App, audit: AuditLog, access: Access): void {
  app.decorateRequest('audited', undefined);
  app.addHook('onSend', async (request, reply, payload) => {
    const { operationId: operation } = (request.routeOptions.schema ?? {}) as { operationId?: string };
    // Whoever hands a request over to another replica has recorded it.
    if (request.method === 'GET' || operation === undefined || request.handedOver) return payload;
    const actor = request.audited?.actor ?? (await whoAsks(request, access));
    if (actor === undefined) return payload;
    const subject = (request.audited?.subject ?? subjectOf(request)).slice(0, longestSubject);
    await audit
      .add({ actor, operation, subject, status: reply.statusCode })
      .catch((error: unknown) => request.log.error({ err: error }, `that ${actor} has asked for ${operation} could not be recorded`));
    return payload;
  });
}

export function auditRoutes(app: App, { access, audit }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const list = {
    operationId: 'listAudit',
    summary: 'Who has asked for which change, the newest first',
    description: 'Kept for a year. What was refused is there too, with its status; requests without a login are not.',
    tags: ['accounts'],
    querystring: z.strictObject({
      before: z
        .string()
        .regex(/^\d{1,15}-[0-9a-f]{1,32}$/)
        .optional()
        .describe('The id of an entry: only those before it'),
      limit: z.coerce.number().int().min(1).max(mostEntries).default(100),
    }),
    response: { 200: auditList },
  };
  app.get('/api/audit', { schema: list }, async (request) => ({
    entries: await audit.list(request.query.before, request.query.limit),
  }));
}

/** The name of whoever has logged in; undefined for strangers and for the holders of the tokens of runs. */
function whoAsks(request: FastifyRequest, access: Access): Promise<string | undefined> {
  return access.identity(request).then(
    ({ name }) => name,
    () => undefined,
  );
}

/** What the address names. */
function subjectOf({ params, runId }: FastifyRequest): string {
  const named = { ...(params as Record<string, string>), ...(runId === undefined ? {} : { run: runId }) };
  return Object.values(named).join(' ');
}
