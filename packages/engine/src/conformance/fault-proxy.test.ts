import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFaultProxy, type FaultProxy, type ProxyFault } from './fault-proxy.ts';

let server: Server;
let proxy: FaultProxy;
let served: string[] = [];

beforeEach(async () => {
  served = [];
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      served.push(`${request.method} ${request.url} ${body}`);
      response.end(`answer ${served.length}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  proxy = await openFaultProxy(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
});
afterEach(async () => {
  await proxy[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

const post = async (body: string): Promise<string> => (await fetch(`${proxy.url}/x?y=1`, { method: 'POST', body })).text();

test('requests come through as they are', async () => {
  expect(await post('zwölf')).toBe('answer 1');
  expect(served).toEqual(['POST /x?y=1 zwölf']);
});

test.each<[ProxyFault, number]>([
  ['cut', 0],
  ['lose', 1],
  ['truncate', 1],
])('%s: the caller hears nothing whole, and the server has been asked %d times', async (fault, asked) => {
  proxy.fault = () => fault;
  await expect(post('a')).rejects.toThrow();
  expect(served).toHaveLength(asked);
});

test('another answer comes in place of the real one', async () => {
  proxy.fault = () => ({ answer: { status: 503, headers: { 'retry-after': '7' }, body: 'busy' } });
  const answer = await fetch(proxy.url);
  expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([503, '7', 'busy']);
  expect(served).toEqual([]);
});

test('requests of one key have one answer, at once and later', async () => {
  proxy.sameAs = ({ body }) => body;
  expect(await Promise.all([post('a'), post('a'), post('b')])).toEqual(expect.arrayContaining(['answer 1', 'answer 2']));
  const [first] = served;
  expect(served.filter((line) => line === first)).toHaveLength(1);
  await post('a');
  expect(served).toHaveLength(2);
});

test('a body can be made one that the server understands', async () => {
  proxy.adapt = ({ body }) => body.replace('new', 'as of old');
  await post('a new word');
  expect(served).toEqual(['POST /x?y=1 a as of old word']);
  expect(proxy.seen[0]?.body).toBe('a new word');
});
