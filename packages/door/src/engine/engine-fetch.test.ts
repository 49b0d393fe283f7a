import { expect, test } from 'vitest';
import { engineFetch } from './engine-fetch.ts';

/** An engine that fails with these, one after the other, before it answers. */
function failing(...failures: unknown[]): { fetch: typeof globalThis.fetch; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fetch: async (input, init) => {
      asked.push(`${init?.method ?? 'GET'} ${input instanceof Request ? input.url : input.toString()}`);
      if (failures.length > 0) throw failures.shift();
      return new Response('ok');
    },
  };
}

const refused = new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) });
const reset = new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });

test('an engine that died is revived, wherever it listens then', async () => {
  const { fetch, asked } = failing(refused, reset);
  const revived: string[] = ['http://b', 'http://c'];
  const response = await engineFetch('http://a', async () => revived.shift() ?? '', fetch)('http://a/x?y=1', { method: 'PUT' });
  expect(await response.text()).toBe('ok');
  expect(asked).toEqual(['PUT http://a/x?y=1', 'PUT http://b/x?y=1', 'PUT http://c/x?y=1']);
});

test('what may have been carried out and must not be twice is not repeated', async () => {
  await expect(engineFetch('http://a', async () => 'http://b', failing(reset).fetch)('http://a/', { method: 'POST' })).rejects.toBe(reset);
  const { fetch, asked } = failing(refused);
  await engineFetch('http://a', async () => 'http://b', fetch)('http://a/', { method: 'POST' });
  expect(asked).toHaveLength(2);
});

test('requests that fail together revive it once', async () => {
  let revivals = 0;
  const revive = async (): Promise<string> => {
    revivals += 1;
    return 'http://b';
  };
  const { fetch } = failing(refused, refused, refused);
  const ask = engineFetch('http://a', revive, fetch);
  await Promise.all([ask('http://a/1'), ask('http://a/2'), ask('http://a/3')]);
  expect(revivals).toBe(1);
});

test('an engine that stays dead is an error, and so is being told to stop', async () => {
  await expect(engineFetch('http://a', async () => 'http://a', failing(refused, refused, refused).fetch)('http://a/')).rejects.toBe(
    refused,
  );
  const { fetch, asked } = failing(refused);
  await expect(engineFetch('http://a', async () => 'http://a', fetch)('http://a/', { signal: AbortSignal.abort() })).rejects.toBe(refused);
  expect(asked).toHaveLength(1);
});
