import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createClient, type Client } from './client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serve(handler: Handler, busyMs = 5000): Promise<{ url: string; client: Client; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => handler(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const patience = { firstPauseMs: 1, longestPauseMs: 5, giveUpMs: 5000 };
  const client = createClient({ url, token: 'plo_x', timeoutMs: 2000, busyMs, patience });
  return { url, client, asked };
}

/** An address where nobody listens any more. */
async function deadUrl(): Promise<string> {
  const { url } = await serve(() => {});
  for (const close of closers.splice(0)) close();
  return url;
}

function json(response: ServerResponse, data: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(data));
}

function eventOf(seq: number): object {
  return { seq, at: '2026-01-01T00:00:00.000Z', type: 'run.state', severity: 'info', message: `m${seq}`, data: {} };
}

describe('requests', () => {
  test('carry the token, escape names and read the answer', async () => {
    let seen: unknown;
    const { client, asked } = await serve((request, response, body) => {
      seen = { token: request.headers.authorization, body };
      json(response, { key: 'a.1:b', value: 'v', secret: false });
    });
    expect(await client.parameters.set('my run', 'a.1:b', 'v', { secret: true })).toEqual({ key: 'a.1:b', value: 'v', secret: false });
    expect(asked).toEqual(['PUT /api/runs/my%20run/parameters/a.1%3Ab']);
    expect(seen).toEqual({ token: 'Bearer plo_x', body: '{"value":"v","secret":true}' });
  });

  test('take what a newer server says in addition', async () => {
    const { client } = await serve((_request, response) =>
      json(response, { parameters: [{ key: 'ss:a', value: null, secret: false, unit: 's' }], next: 1 }),
    );
    expect(await client.parameters.list('r')).toMatchObject([{ key: 'ss:a', value: null }]);
  });

  test('refuse what is not as agreed', async () => {
    const { client } = await serve((_request, response) => json(response, { parameters: [{ key: 3 }] }));
    await expect(client.parameters.list('r')).rejects.toMatchObject({ code: 'PACELINE_INTERNAL' });
  });

  test('fail with the error of the problem document', async () => {
    const { client } = await serve((_request, response) =>
      json(response, { type: 'x', title: 't', status: 409, detail: 'no', code: 'PACELINE_CONFLICT', hint: 'h', received: 5 }, 409),
    );
    await expect(client.runs.get('r')).rejects.toMatchObject({
      code: 'PACELINE_CONFLICT',
      message: 'no',
      hint: 'h',
      data: { received: 5 },
      exitCode: 4,
    });
  });

  test('fail with what a newer server says, although its code is new', async () => {
    const { client } = await serve((_request, response) =>
      json(response, { type: 'x', title: 't', status: 429, detail: 'slowly', code: 'PACELINE_NEW', hint: 'h' }, 429),
    );
    await expect(client.runs.get('r')).rejects.toMatchObject({ code: 'PACELINE_RATE_LIMITED', message: 'slowly', hint: 'h' });
  });

  test('tell a server that is none of ours', async () => {
    const { client } = await serve((_request, response) => response.writeHead(404).end('<html>'));
    await expect(client.runs.get('r')).rejects.toMatchObject({
      code: 'PACELINE_NOT_FOUND',
      hint: expect.stringContaining('does not look like'),
    });
  });

  test('say why a server cannot be reached', async () => {
    const client = createClient({ url: await deadUrl(), token: '' });
    await expect(client.health()).rejects.toMatchObject({ code: 'PACELINE_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') });
  });

  test('do not wait for ever, neither for the head nor for the rest', async () => {
    const { url } = await serve((request, response) => {
      if (request.url === '/api/info') response.writeHead(200).write('{');
    });
    const impatient = createClient({ url, token: '', timeoutMs: 50 });
    await expect(impatient.health()).rejects.toMatchObject({
      code: 'PACELINE_UNREACHABLE',
      message: expect.stringContaining('no answer within 0.05 s'),
    });
    // The head has to be there in time, also on a busy host.
    const patient = createClient({ url, token: '', timeoutMs: 2000 });
    await expect(patient.info()).rejects.toMatchObject({
      code: 'PACELINE_UNREACHABLE',
      message: expect.stringContaining('nothing was heard'),
    });
  });

  test('keep the token off the open network', () => {
    expect(() => createClient({ url: 'http://example.org', token: 't' })).toThrow('in the clear');
    expect(() => createClient({ url: 'example.org', token: 't' })).toThrow('not the address of a server');
    expect(createClient({ url: 'https://example.org/paceline/', token: 't' }).url).toBe('https://example.org/paceline');
  });

  test('download reports as they come', async () => {
    const { client } = await serve((_request, response) => response.writeHead(200).end(Buffer.alloc(100_000, 7)));
    let bytes = 0;
    for await (const chunk of client.reports.download('r', 'a.tgz')) bytes += chunk.length;
    expect(bytes).toBe(100_000);
  });
});

describe('a server that cannot answer for a moment', () => {
  const failed = { type: 'x', title: 't', status: 503, detail: 'not now', code: 'PACELINE_STORE_FAILED' };
  const value = { key: 'ss:a', value: 'v', secret: false };
  const notNow = (response: ServerResponse, seconds = '0'): void => {
    response.setHeader('retry-after', seconds);
    json(response, failed, 503);
  };

  test('is asked again, where that does no harm', async () => {
    const { client, asked } = await serve((request, response) => {
      if (asked.filter((one) => one === asked.at(-1)).length < 3) return notNow(response);
      return request.url?.endsWith('/ss%3Ab') ? response.writeHead(204).end() : json(response, value);
    });
    expect(await client.parameters.get('r', 'ss:a')).toEqual(value);
    expect(await client.parameters.set('r', 'ss:c', 'v')).toEqual(value);
    await client.parameters.unset('r', 'ss:b');
    expect(asked).toHaveLength(9);
  });

  test('is asked again to start a run, by the same id', async () => {
    const ids: unknown[] = [];
    const { client } = await serve((_request, response, body) => {
      ids.push((JSON.parse(body) as { id: unknown }).id);
      return ids.length < 3 ? notNow(response) : json(response, {});
    });
    await expect(client.runs.create({ deployment: {} as never })).rejects.toMatchObject({ code: 'PACELINE_INTERNAL' });
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), ids[0], ids[0]]);
  });

  test('is not asked twice to abort a run, nor when it does not ask for it', async () => {
    const { client, asked } = await serve((request, response) =>
      request.method === 'POST' ? notNow(response) : json(response, failed, 503),
    );
    await expect(client.runs.abort('r', 'why')).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED', message: 'not now' });
    await expect(client.runs.get('r')).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED' });
    expect(asked).toEqual(['POST /api/runs/r/abort', 'GET /api/runs/r']);
  });

  test('is not waited for longer than agreed', async () => {
    const { client, asked } = await serve((_request, response) => notNow(response), 500);
    await expect(client.runs.get('r')).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED' });
    expect(asked.length).toBeGreaterThan(1);
    expect(asked.length).toBeLessThan(5);
    const late = await serve((_request, response) => notNow(response, '3600'));
    await expect(late.client.runs.get('r')).rejects.toMatchObject({ code: 'PACELINE_STORE_FAILED' });
    expect(late.asked).toHaveLength(1);
  });

  test('is waited for no longer than there is interest', async () => {
    const { url } = await serve((_request, response) => {
      notNow(response, '3');
      setImmediate(() => stop.abort(new Error('enough')));
    });
    const stop = new AbortController();
    await expect(createClient({ url, token: '', signal: stop.signal }).runs.get('r')).rejects.toThrow('enough');
  });
});

describe('following', () => {
  test('goes on after cuts without losing or repeating anything', async () => {
    const { client, asked } = await serve((request, response) => {
      const after = Number(request.headers['last-event-id']);
      if (asked.length === 2) return json(response, {}, 503);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // Each connection brings three more and repeats one, cut in the middle of a fourth.
      for (let seq = Math.max(after, 1); seq <= after + 3; seq++)
        response.write(`id: ${seq}\nevent: event\ndata: ${JSON.stringify(eventOf(seq))}\n\n`);
      if (after >= 6) return response.end('event: end\ndata: {}\n\n');
      response.write('id: 99\nda');
      setImmediate(() => response.destroy());
      return response;
    });
    const cuts: string[] = [];
    const seen: number[] = [];
    for await (const { seq } of client.followEvents('r', { onCut: ({ code }) => cuts.push(code) })) seen.push(seq);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(cuts).toEqual(['PACELINE_UNREACHABLE', 'PACELINE_UNREACHABLE', 'PACELINE_UNREACHABLE']);
    expect(asked.at(-1)).toBe('GET /api/runs/r/events?after=6');
  });

  test('ends quietly with its signal, and with an error when it is refused', async () => {
    const { client } = await serve((request, response) => {
      if (request.url?.includes('logs')) return json(response, {}, 401);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return response.write(`data: ${JSON.stringify(eventOf(1))}\n\n`);
    });
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const { seq } of client.followEvents('r', { signal: stop.signal })) {
      seen.push(seq);
      stop.abort();
    }
    expect(seen).toEqual([1]);
    await expect(client.followLogs('r').next()).rejects.toMatchObject({ code: 'PACELINE_UNAUTHENTICATED' });
  });

  test('does not take a reader that pauses for a server that stays away', async () => {
    const { url, asked } = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`id: ${asked.length}\nevent: event\ndata: ${JSON.stringify(eventOf(asked.length))}\n\n`);
      setImmediate(() => response.destroy());
    });
    const events = createClient({ url, token: '', patience: { firstPauseMs: 1 } }).followEvents('r');
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      expect((await events.next()).value).toMatchObject({ seq: 1 });
      vi.advanceTimersByTime(24 * 60 * 60_000);
      expect((await events.next()).value).toMatchObject({ seq: 2 });
    } finally {
      vi.useRealTimers();
      await events.return(undefined);
    }
  });

  test('gives up a server that stays away', async () => {
    const client = createClient({ url: await deadUrl(), token: '', patience: { giveUpMs: 20, firstPauseMs: 5 } });
    await expect(client.followEvents('r').next()).rejects.toMatchObject({ code: 'PACELINE_UNREACHABLE' });
  });
});
