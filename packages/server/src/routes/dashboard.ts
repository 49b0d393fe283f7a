import { PacelineError } from '@paceline/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App, RouteContext } from './routes.ts';

/** Nothing but our own files, and nothing that is written into the page. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** The addresses of pages: all are the same document, which finds out by itself what to show. */
const pages = ['/', '/login', '/runs', '/runs/:run', '/apps', '/apps/:app', '/clouds', '/access', '/audit'];

/** The pages for browsers. They hold no data: what they show, they ask for like every client. */
export function dashboardRoutes(app: App, { dashboard }: RouteContext): void {
  if (dashboard === undefined) return;
  const config = { anyReplica: true };
  const page = (_request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    reply
      .headers({
        'content-security-policy': policy,
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-cache',
      })
      .type('text/html; charset=utf-8')
      .send(dashboard.page);
  for (const path of pages) app.get(path, { schema: { hide: true }, config }, page);

  app.get<{ Params: { name: string } }>('/assets/:name', { schema: { hide: true }, config }, (request, reply) => {
    const asset = dashboard.asset(request.params.name);
    if (asset === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `There is no asset ${request.params.name}`);
    // The name changes with what is in it.
    return reply
      .headers({ 'cache-control': 'public, max-age=31536000, immutable', 'x-content-type-options': 'nosniff' })
      .type(asset.type)
      .send(asset.bytes);
  });
}
