import * as fc from 'fast-check';
import type { EventView } from '@paceline/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { operatorToken, TestServer, type JoinedRun } from '../testing/test-server.ts';

let server: TestServer;
let base: string;
beforeAll(async () => {
  server = await TestServer.open();
  base = await server.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

interface Item {
  id: number;
  event: string;
  data: EventView;
}

/** Reads a stream as a browser would, but cuts the link after so many bytes; what came only in part does not count. */
async function read(
  path: string,
  after: number,
  cutAfter = Number.POSITIVE_INFINITY,
  enough = (_items: Item[]): boolean => false,
): Promise<Item[]> {
  const left = new AbortController();
  const headers = { authorization: `Bearer ${operatorToken}`, accept: 'text/event-stream', 'last-event-id': String(after) };
  const response = await fetch(`${base}${path}`, { headers, signal: left.signal });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      const piece = (chunk as Uint8Array).subarray(0, Math.max(0, cutAfter - bytes));
      bytes += piece.length;
      text += decoder.decode(piece, { stream: true });
      if (bytes >= cutAfter || enough(itemsOf(text))) break;
    }
  } finally {
    left.abort();
  }
  return itemsOf(text);
}

function itemsOf(text: string): Item[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .flatMap((block) => {
      const fields = Object.fromEntries(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      return fields['event'] === undefined
        ? []
        : [{ id: Number(fields['id']), event: fields['event'], data: JSON.parse(fields['data'] ?? '') as EventView }];
    });
}

async function setNote(run: JoinedRun, value: string): Promise<void> {
  await server.ask('PUT', `/api/runs/${run.id}/parameters/client.1:note`, { payload: { value } });
}

async function lastEvent(run: JoinedRun): Promise<number> {
  return (await server.ask('GET', `/api/runs/${run.id}`)).json<{ lastEvent: number }>().lastEvent;
}

describe('the events of a run', () => {
  it('come page by page', async () => {
    const run = await server.run();
    const whole = (await server.ask('GET', `/api/runs/${run.id}/events`)).json<{ events: EventView[] }>().events;
    expect(whole.map(({ seq }) => seq)).toEqual(whole.map((_, index) => index + 1));
    const paged: EventView[] = [];
    for (;;) {
      const page = await server.ask('GET', `/api/runs/${run.id}/events?limit=2&after=${paged.at(-1)?.seq ?? 0}`);
      const { events } = page.json<{ events: EventView[] }>();
      if (events.length === 0) break;
      expect(events.length).toBeLessThanOrEqual(2);
      paged.push(...events);
    }
    expect(paged).toEqual(whole);
  });

  it('come as a stream, first the old ones, then each new one once it is stored', async () => {
    const run = await server.run();
    const before = await lastEvent(run);
    const stream = read(`/api/runs/${run.id}/events`, 0, Number.POSITIVE_INFINITY, (items) => items.length >= before + 3);
    for (const value of ['a', 'b', 'c']) await setNote(run, value);
    const items = await stream;
    expect(items.map(({ id }) => id)).toEqual(Array.from({ length: before + 3 }, (_, index) => index + 1));
    expect(items.slice(-3).map(({ data }) => data.message)).toEqual(['client.1:note = a', 'client.1:note = b', 'client.1:note = c']);
    expect(items.every(({ id, event, data }) => event === 'event' && data.seq === id)).toBe(true);
  });

  it('resume wherever the link was cut: no gap, no repetition', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 30 }),
        async (cuts, news) => {
          const run = await server.run();
          const total = (await lastEvent(run)) + news;
          const writing = (async () => {
            for (let value = 1; value <= news; value++) await setNote(run, String(value));
          })();
          const seen: number[] = [];
          for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
            const after = seen.at(-1) ?? 0;
            const isLast = (items: Item[]): boolean => (items.at(-1)?.id ?? after) >= total;
            if (after < total) seen.push(...(await read(`/api/runs/${run.id}/events`, after, cut, isLast)).map(({ id }) => id));
          }
          await writing;
          expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('end with the run, for those who follow it and for those who come later', async () => {
    const run = await server.run();
    const stream = read(`/api/runs/${run.id}/events`, 0);
    await server.ask('DELETE', `/api/runs/${run.id}`);
    const items = await stream;
    expect(items.at(-1)?.event).toBe('end');
    expect(items.at(-2)?.data).toMatchObject({ type: 'run.state', data: { state: 'Cancelled' } });
    expect(await read(`/api/runs/${run.id}/events`, 0)).toEqual(items);
  });

  it('never show a secret', async () => {
    const run = await server.run();
    const before = await lastEvent(run);
    await server.ask('PUT', `/api/runs/${run.id}/parameters/web.1:password`, { payload: { value: 'hush-hush' } });
    const items = await read(`/api/runs/${run.id}/events`, 0, Number.POSITIVE_INFINITY, ({ length }) => length > before);
    expect(JSON.stringify(items)).not.toContain('hush-hush');
    expect(items.at(-1)?.data.message).toBe('web.1:password = ***');
  });

  it('keep a quiet stream alive with comments', async () => {
    const run = await server.run();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const headers = { authorization: `Bearer ${operatorToken}`, accept: 'text/event-stream' };
      const left = new AbortController();
      const response = await fetch(`${base}/api/runs/${run.id}/events?after=${await lastEvent(run)}`, { headers, signal: left.signal });
      vi.advanceTimersByTime(15_000);
      const { value } = await (response.body as ReadableStream<Uint8Array>).getReader().read();
      expect(new TextDecoder().decode(value)).toBe(':\n\n');
      left.abort();
      await vi.waitFor(() => expect(vi.getTimerCount()).toBe(0));
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the output of a run', () => {
  it('comes as a stream in order, each piece once, however often its agent sends it', async () => {
    const run = await server.run();
    const agent = run.agents.get('web.1')?.connect();
    const at = new Date(0).toISOString();
    const piece = (offset: number, text: string) => ({
      op: 'log' as const,
      source: 'deploy',
      stream: 'stdout' as const,
      offset,
      bytes: text.length,
      text,
      at,
    });
    await agent?.say(piece(0, 'one\n'), piece(4, 'two\n'));
    await agent?.say(piece(4, 'two\n'), piece(8, 'three\n'));
    const items = await read(`/api/runs/${run.id}/logs`, 0, Number.POSITIVE_INFINITY, ({ length }) => length === 3);
    expect(items.map(({ event, data }) => [event, (data as unknown as { text: string }).text])).toEqual([
      ['log', 'one\n'],
      ['log', 'two\n'],
      ['log', 'three\n'],
    ]);
    const page = await server.ask('GET', `/api/runs/${run.id}/logs?after=1&limit=1`);
    expect(page.json()).toMatchObject({ logs: [{ seq: 2, instance: 'web.1', source: 'deploy', stream: 'stdout', text: 'two\n' }] });
  });
});
