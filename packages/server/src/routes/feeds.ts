import { eventList, logList, type EventView, type LogView } from '@paceline/api';
import { iso, type Feed, type LogChunk, type RunEvent } from '@paceline/engine';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { openEventStream } from '../sse.ts';
import { runParams, type App, type RouteContext } from './routes.ts';

const cursor = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(500),
});

const tags = ['feeds'];
const description =
  'With `accept: text/event-stream` everything after the cursor and then live; `last-event-id` resumes a stream that was cut.';

/** Events and logs: a page as JSON, or, asked for `text/event-stream`, everything from a cursor on and then live. */
export function feedRoutes(app: App, { engine, access }: RouteContext): void {
  app.addHook('onRequest', access.guard);

  const events = {
    operationId: 'listEvents',
    summary: 'What happened in a run',
    description,
    tags,
    params: runParams,
    querystring: cursor,
    response: { 200: eventList },
  };
  app.get('/api/runs/:run/events', { schema: events }, async (request, reply) => {
    const run = await access.run(request, request.params.run);
    const active = engine.findActive(run);
    const read = (after: number, limit: number): Promise<RunEvent[]> => engine.store.events(run, after, limit);
    if (!wantsStream(request)) return { events: (await read(request.query.after, request.query.limit)).map(eventView) };
    return stream(request, reply, request.query.after, active?.events, read, 'event', eventView);
  });

  const logs = {
    operationId: 'listLogs',
    summary: 'What the scripts of a run printed',
    description,
    tags,
    params: runParams,
    querystring: cursor,
    response: { 200: logList },
  };
  app.get('/api/runs/:run/logs', { schema: logs }, async (request, reply) => {
    const run = await access.run(request, request.params.run);
    const active = engine.findActive(run);
    const read = (after: number, limit: number): Promise<LogChunk[]> => engine.store.logs(run, after, limit);
    if (!wantsStream(request)) return { logs: (await read(request.query.after, request.query.limit)).map(logView) };
    return stream(request, reply, request.query.after, active?.logs, read, 'log', logView);
  });
}

async function stream<T extends { seq: number }>(
  request: FastifyRequest,
  reply: FastifyReply,
  after: number,
  feed: Feed<T> | undefined,
  read: (after: number, limit: number) => Promise<T[]>,
  name: string,
  view: (item: T) => unknown,
): Promise<void> {
  const out = openEventStream(reply);
  const resumed = Number(request.headers['last-event-id']);
  let last = Number.isInteger(resumed) && resumed > after ? resumed : after;
  const send = (items: T[]): void => {
    for (const item of items) out.send(name, view(item), (last = item.seq));
  };
  try {
    if (feed !== undefined) for await (const items of feed.follow(last, out.signal)) send(items);
    for (let items = await read(last, 1000); items.length > 0 && !out.signal.aborted; items = await read(last, 1000)) send(items);
    out.send('end', {});
  } catch (error) {
    request.log.error({ err: error }, 'a stream failed');
  } finally {
    out.close();
  }
}

function wantsStream(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('text/event-stream') ?? false;
}

function eventView({ seq, at, type, severity, message, data }: RunEvent): EventView {
  return { seq, at: iso(at), type, severity, message, data };
}

function logView({ seq, at, instance, source, stream: origin, text }: LogChunk): LogView {
  return { seq, at: iso(at), instance, source, stream: origin, text };
}
