import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import Fastify from 'fastify';
import { afterEach, expect, it, vi } from 'vitest';
import { openEventStream, type EventStream } from './sse.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** Both ends of a stream; nothing is read of it yet. */
async function opened(): Promise<{ out: EventStream; answer: IncomingMessage }> {
  const app = Fastify({ forceCloseConnections: true });
  const ready = Promise.withResolvers<EventStream>();
  app.get('/', (_request, reply) => ready.resolve(openEventStream(reply)));
  closers.push(() => app.close());
  const asked = request(await app.listen({ host: '127.0.0.1', port: 0 })).end();
  asked.on('error', () => {});
  closers.push(() => asked.destroy());
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.on('error', () => {});
  return { out: await ready.promise, answer };
}

const text = 'x'.repeat(64 * 1024);

it('cuts off a reader that is too far behind with those who cannot wait', async () => {
  const { out } = await opened();
  let sent = 0;
  for (; sent < 1000 && !out.signal.aborted; sent++) {
    out.send('value', { text });
    await new Promise(setImmediate);
  }
  expect(sent).toBeGreaterThan(127);
  expect(sent).toBeLessThan(1000);
});

it('lets those who can wait do so, until the reader goes on or is gone', async () => {
  const { out, answer } = await opened();
  let written = 0;
  const writing = (async () => {
    for (; written < 2000 && !out.signal.aborted; written++) await out.write('value', { text }, written);
  })();
  let before = -1;
  await vi.waitFor(() => {
    const moved = written !== before;
    before = written;
    expect(moved).toBe(false);
  });
  const stuckAt = written;
  expect(stuckAt).toBeLessThan(1000);
  while (written < stuckAt + 200) {
    answer.read();
    await new Promise(setImmediate);
  }
  expect(out.signal.aborted).toBe(false);
  answer.destroy();
  await writing;
  expect(written).toBeLessThan(2000);
});
