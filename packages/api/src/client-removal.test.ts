import { expect, test } from 'vitest';
import { createClient } from './client.ts';

test('removing things may take longer than other answers', async () => {
  const slow = Promise.withResolvers<void>();
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const late = new Promise<never>((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
    });
    await Promise.race([slow.promise, late]);
    const isReap = String(input instanceof Request ? input.url : input).endsWith('/api/reap');
    return isReap ? Response.json({ seen: 1, orphans: [], failures: [] }) : new Response(null, { status: 204 });
  };
  const client = createClient({ url: 'http://127.0.0.1:1', token: 't', timeoutMs: 20, fetch });
  const reaped = client.reap(true);
  const removed = client.images.remove('web');
  await expect(client.info()).rejects.toMatchObject({ code: 'PACELINE_UNREACHABLE' });
  slow.resolve();
  expect(await reaped).toMatchObject({ seen: 1 });
  await removed;
});
