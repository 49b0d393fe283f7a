import { eventList, logList, type EventView, type LogView } from '@paceline/api';
import { iso, type LogChunk, type RunEvent } from '@paceline/engine';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { openEventStream, wantsStream } from '../sse.ts';
import { isOf, readLogs } from './log-pages.ts';
import { runParams, type App, type RouteContext } from './routes.ts';

const cursor = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(500),
});

const logCursor = cursor.extend({
  instance: z.string().max(200).optional().describe('Only of this instance, such as `web.1`, or of all instances of this node'),
  tail: z.coerce.number().int().min(1).max(1000).optional().describe('Only the last so many pieces; counts without a cursor only'),
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
  app.get('/api/runs/:run/events', { schema: events, config: { anyReplica: true } }, async (request, reply) => {
    const run = await access.run(request, request.params.run);
    const { after, limit } = request.query;
    if (!wantsStream(request)) return { events: (await engine.store.events(run, after, limit)).map(eventView) };
    return stream(request, reply, cursorOf(request), {
      name: 'event',
      view: eventView,
      follow: (...from) => engine.followEvents(run, ...from),
    });
  });

  const logs = {
    operationId: 'listLogs',
    summary: 'What the scripts of a run printed',
    description,
    tags,
    params: runParams,
    querystring: logCursor,
    response: { 200: logList },
  };
  app.get('/api/runs/:run/logs', { schema: logs, config: { anyReplica: true } }, async (request, reply) => {
    const run = await access.run(request, request.params.run);
    const { instance, tail } = request.query;
    if (!wantsStream(request)) return { logs: (await readLogs(engine.store, run, request.query)).map(logView) };
    const after = cursorOf(request);
    const [first] = tail === undefined || after > 0 ? [] : await readLogs(engine.store, run, request.query);
    return stream(request, reply, first === undefined ? after : first.seq - 1, {
      name: 'log',
      view: logView,
      wants: (piece) => isOf(piece, instance),
      follow: (...from) => engine.followLogs(run, ...from),
    });
  });
}

/** What is streamed. */
interface Source<T extends { seq: number }> {
  /** The name of each of its events. */
  name: string;
  view: (item: T) => unknown;
  /** @default everything */
  wants?: (item: T) => boolean;
  /** All after a cursor, and what comes, until nothing more will. */
  follow: (after: number, signal: AbortSignal) => AsyncIterable<T[]>;
}

async function stream<T extends { seq: number }>(
  request: FastifyRequest,
  reply: FastifyReply,
  after: number,
  { name, view, wants = () => true, follow }: Source<T>,
): Promise<void> {
  const out = openEventStream(reply);
  try {
    for await (const items of follow(after, out.signal)) {
      for (const item of items) {
        if (out.signal.aborted) return;
        if (wants(item)) await out.write(name, view(item), item.seq);
      }
    }
    await out.write('end', {});
  } catch (error) {
    // Who is not told of an end comes back.
    request.log.error({ err: error }, 'a stream failed');
  } finally {
    out.close();
  }
}

/** Where a stream begins, or goes on after a cut. */
function cursorOf({ query: { after }, headers }: FastifyRequest<{ Querystring: z.infer<typeof cursor> }>): number {
  const resumed = Number(headers['last-event-id']);
  return Number.isInteger(resumed) && resumed > after ? resumed : after;
}

function eventView({ seq, at, type, severity, message, data }: RunEvent): EventView {
  return { seq, at: iso(at), type, severity, message, data };
}

function logView({ seq, at, instance, source, stream: origin, text }: LogChunk): LogView {
  return { seq, at: iso(at), instance, source, stream: origin, text };
}
