import { expect, test } from 'vitest';
import { createClient } from './client.ts';

test('what clouds have to do may take longer than other answers', async () => {
  const slow = Promise.withResolvers<void>();
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const late = new Promise<never>((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
    });
    await Promise.race([slow.promise, late]);
    const answers: Record<string, unknown> = {
      reap: { seen: 1, orphans: [], failures: [] },
      images: { image: null, run: null, joined: false },
    };
    const answer =
      answers[
        String(input instanceof Request ? input.url : input)
          .split('/')
          .at(-1) ?? ''
      ];
    return answer === undefined ? new Response(null, { status: 204 }) : Response.json(answer);
  };
  const client = createClient({ url: 'http://127.0.0.1:1', token: 't', timeoutMs: 20, fetch });
  const reaped = client.reap(true);
  const built = client.images.build({ deployment: { apiVersion: 'paceline.dev/v1' } as never });
  const removed = client.images.remove('web');
  await expect(client.info()).rejects.toMatchObject({ code: 'PACELINE_UNREACHABLE' });
  slow.resolve();
  expect(await reaped).toMatchObject({ seen: 1 });
  await removed;
  await built;
});
