import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testSocket } from './with-lxd.ts';

/** Stands between a connector and the server. */
export interface FaultProxy extends AsyncDisposable {
  socket: string;
  /** Every request, as METHOD PATH. */
  seen: string[];
  /** Asked for every request when its answer has come: with true, nobody hears of it. */
  lose: (request: string) => boolean;
}

export async function openFaultProxy(): Promise<FaultProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-proxy-'));
  const socket = join(folder, 'socket');
  const server = createServer((request, response) => {
    const name = `${request.method} ${request.url?.replace(/\?.*/, '')}`;
    proxy.seen.push(name);
    const { method, url: path, headers } = request;
    const forwarded = send({ socketPath: testSocket, method, path, headers }, (answer) => {
      if (proxy.lose(name)) {
        answer.resume();
        response.destroy();
      } else {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const proxy: FaultProxy = {
    socket,
    seen: [],
    lose: () => false,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
  return proxy;
}
