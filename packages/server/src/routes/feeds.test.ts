import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import * as fc from 'fast-check';
import { createClient, type EventView } from '@paceline/api';
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

describe('a stream that fails', () => {
  it('is not told of an end', async () => {
    const run = await server.run();
    const failing = vi.spyOn(server.engine, 'followEvents').mockImplementationOnce(async function* () {
      yield await server.engine.store.events(run.id, 0, 2);
      throw new Error('the disk is gone');
    });
    const items = await read(`/api/runs/${run.id}/events`, 0);
    expect(items.map(({ id, event }) => [id, event])).toEqual([
      [1, 'event'],
      [2, 'event'],
    ]);
    failing.mockRestore();
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

  it('can be asked for by instance or node, and from its last pieces on', async () => {
    const run = await server.run();
    const say = (instance: string, offset: number): Promise<unknown> | undefined =>
      run.agents.get(instance)?.say({
        ...{ op: 'log', source: 'deploy', stream: 'stdout', offset, bytes: 1, at: new Date(0).toISOString() },
        text: `${instance} ${offset}`,
      });
    for (const agent of run.agents.values()) agent.connect();
    for (const offset of [0, 1, 2]) for (const instance of ['web.1', 'client.1']) await say(instance, offset);
    const page = async (query: string): Promise<string[]> =>
      (await server.ask('GET', `/api/runs/${run.id}/logs?${query}`)).json<{ logs: { text: string }[] }>().logs.map(({ text }) => text);
    expect(await page('instance=web.1')).toEqual(['web.1 0', 'web.1 1', 'web.1 2']);
    expect(await page('instance=client&after=2&limit=1')).toEqual(['client.1 1']);
    expect(await page('tail=3')).toEqual(['client.1 1', 'web.1 2', 'client.1 2']);
    expect(await page('instance=web&tail=2')).toEqual(['web.1 1', 'web.1 2']);
    expect((await server.ask('GET', `/api/runs/${run.id}/logs?tail=0`)).statusCode).toBe(400);

    const client = createClient({ url: base, token: operatorToken });
    const followed: string[] = [];
    const stop = new AbortController();
    for await (const { text } of client.followLogs(run.id, { instance: 'web.1', tail: 1, signal: stop.signal })) {
      if (followed.push(text) === 1) await say('client.1', 3);
      if (followed.length === 1) await say('web.1', 3);
      if (followed.length === 2) stop.abort();
    }
    expect(followed).toEqual(['web.1 2', 'web.1 3']);
    expect(await client.logs(run.id, { instance: 'client', tail: 1 })).toMatchObject([{ text: 'client.1 3' }]);
  });

  it('comes whole in one go, however much there is', async () => {
    const run = await server.run();
    await print(run, 200);
    const client = createClient({ url: base, token: operatorToken });
    const cut = new AbortController();
    let length = 0;
    for await (const { seq, text } of client.followLogs(run.id, { signal: cut.signal, onCut: () => cut.abort() })) {
      length += text.length;
      if (seq === 200) break;
    }
    expect({ length, cut: cut.signal.aborted }).toEqual({ length: 200 * pieceLength, cut: false });
  });

  it('waits for a reader that pauses, and takes no memory for it', async () => {
    const run = await server.run();
    await print(run, 200);
    await server.ask('DELETE', `/api/runs/${run.id}`);
    const connected = once(server.app.server, 'connection') as Promise<[Socket]>;
    const headers = { authorization: `Bearer ${operatorToken}`, accept: 'text/event-stream' };
    const asked = request(`${base}/api/runs/${run.id}/logs`, { headers, agent: false }).end();
    const [socket] = await connected;
    const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
    // Nobody reads until the server has to wait.
    await vi.waitFor(() => expect(socket.writableNeedDrain).toBe(true));
    expect(socket.writableLength).toBeLessThan(1024 * 1024);
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    expect(text.match(/^event: log$/gm)).toHaveLength(200);
    expect(text.endsWith('event: end\ndata: {}\n\n')).toBe(true);
  });
});

const pieceLength = 64 * 1024;

/** The agent of web.1 sends so many pieces of output. */
async function print(run: JoinedRun, pieces: number): Promise<void> {
  const agent = run.agents.get('web.1')?.connect();
  const text = 'x'.repeat(pieceLength);
  const at = new Date(0).toISOString();
  for (let piece = 0; piece < pieces; piece++) {
    const offset = piece * pieceLength;
    await agent?.say({ op: 'log', source: 'deploy', stream: 'stdout', offset, bytes: pieceLength, text, at });
  }
}
