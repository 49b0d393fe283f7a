import { createServer } from 'node:http';
import { until } from './until.ts';

/** Plays the engine: listens on an address of the host, and keeps what machines send. */
export interface TestEngine extends AsyncDisposable {
  url: string;
  /** What was posted to this path, once it was. */
  posted(path: string): Promise<string>;
  paths(): string[];
}

/** @param host the address to listen at */
export async function openEngine(host = '127.0.0.1'): Promise<TestEngine> {
  const bodies = new Map<string, string>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      bodies.set(request.url ?? '', body);
      response.end('ok\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  return {
    url: `http://${host}:${typeof address === 'object' ? address?.port : 0}`,
    posted: (path) => until(`a call of ${path}`, () => bodies.get(path), 50_000),
    paths: () => [...bodies.keys()],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
