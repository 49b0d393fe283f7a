import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import type { ConnectionLimits } from './connections.ts';
import { operatorToken, TestServer } from './testing/test-server.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function serve(limits: Partial<ConnectionLimits>): Promise<{ server: TestServer; port: number }> {
  const server = await TestServer.open({ limits });
  closers.push(() => server.close());
  await server.app.listen({ host: '127.0.0.1', port: 0 });
  return { server, port: (server.app.server.address() as AddressInfo).port };
}

/** A connection that says something, and what it heard until it was closed. */
function call(port: number, says: string): { socket: Socket; closed: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  closers.push(() => socket.destroy());
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
  socket.on('error', () => {});
  socket.write(says);
  return { socket, closed: once(socket, 'close').then(() => heard) };
}

const health = 'GET /api/health HTTP/1.1\r\nhost: x\r\n\r\n';

it('of more than the most are closed at once, and taken again when others have gone', async () => {
  const { port } = await serve({ maxConnections: 3 });
  const first = [call(port, health), call(port, health), call(port, health)];
  for (const { socket } of first) await once(socket, 'data');
  expect(await call(port, health).closed).toBe('');
  first[0]?.socket.destroy();
  await vi.waitFor(async () => {
    const { socket, closed } = call(port, health);
    const answer = await Promise.race([once(socket, 'data').then(String), closed]);
    expect(answer).toContain('200 OK');
  });
  expect(first.slice(1).every(({ socket }) => !socket.destroyed)).toBe(true);
});

it.each([
  ['say nothing', ''],
  ['never end the head of a request', 'GET /api/health HTTP/1.1\r\nx-'],
  [
    'never end the body of a request',
    'POST /agent/join HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
  ],
])('that %s are closed', async (_what, says) => {
  const { port } = await serve({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
  expect(await call(port, says).closed).toContain('408 Request Timeout');
});

it('that are quiet for good reason stay', async () => {
  const { server, port } = await serve({ headersTimeoutMs: 50, requestTimeoutMs: 50 });
  const { id } = await server.run();
  const events = `GET /api/runs/${id}/events HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer ${operatorToken}\r\n\r\n`;
  const idle = call(port, health);
  const stream = call(port, events);
  for (const { socket } of [idle, stream]) await once(socket, 'data');
  // The server has looked for those that take too long, twice.
  for (let round = 0; round < 2; round++) await call(port, '').closed;
  idle.socket.write(health);
  expect(String(await once(idle.socket, 'data'))).toContain('200 OK');
  expect(stream.socket.destroyed).toBe(false);
});

it('that bring a report too slowly leave what has come, to go on from', async () => {
  const { server, port } = await serve({ headersTimeoutMs: 100, requestTimeoutMs: 200 });
  const run = await server.run();
  const path = '/agent/reports/web.1_report_2012-01-19T203527Z.tgz';
  const head = [`PUT ${path}?offset=0&size=100&sha256=${'a'.repeat(64)} HTTP/1.1`, 'host: x', 'content-type: application/gzip'];
  const rest = ['content-length: 100', `authorization: Bearer ${run.keyOf('web.1')}`, '', 'the first 24 bytes of it'];
  await call(port, [...head, ...rest].join('\r\n')).closed;
  await vi.waitFor(async () => {
    const progress = await server.ask('GET', path, { token: run.keyOf('web.1') });
    expect(progress.json()).toEqual({ received: 24, complete: false });
  });
});

it.skipIf(process.platform !== 'linux')('have TCP keep-alive', async () => {
  const { port } = await serve({});
  const { socket } = call(port, health);
  await once(socket, 'data');
  const hex = (number = 0): string => number.toString(16).toUpperCase().padStart(4, '0');
  const ours = `0100007F:${hex(port)} 0100007F:${hex(socket.localPort)}`;
  const line = (await readFile('/proc/net/tcp', 'utf8')).split('\n').find((text) => text.includes(ours));
  // The fifth field is the timer that runs: 02 is keep-alive.
  expect(line?.trim().split(/\s+/)[5]).toMatch(/^02:/);
});
