import { createServer } from 'node:http';

/** Plays the engine: keeps what machines send. */
export interface Home {
  url: string;
  /** What was sent to this path, once it was. */
  posted(path: string): string | undefined;
  /** How often something was sent to this path. */
  count(path: string): number;
  close(): Promise<void>;
}

/**
 * @param host the address of this host to listen at
 * @param seen what machines make of its URL
 */
export async function openHome(host: string, seen: (url: string) => string): Promise<Home> {
  const bodies = new Map<string, string[]>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const path = request.url ?? '';
      bodies.set(path, [...(bodies.get(path) ?? []), body]);
      response.end('ok\n');
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const address = server.address();
  return {
    url: seen(`http://${host}:${typeof address === 'object' ? address?.port : 0}`),
    posted: (path) => bodies.get(path)?.at(-1),
    count: (path) => bodies.get(path)?.length ?? 0,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
