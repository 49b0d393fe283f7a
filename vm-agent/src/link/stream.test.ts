import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { agentProtocol, type OpsRequest } from '@paceline/api/agent';
import { afterEach, expect, test, vi } from 'vitest';
import { Backoff } from '../backoff.ts';
import { systemClock } from '../clock.ts';
import { Engine, HttpError } from './http.ts';
import { followStream, type Say } from './stream.ts';

const hello = 'event: hello\ndata: {"session":"s"}\n\n';
const switched = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${agentProtocol}\r\n\r\n`;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Follows a server's stream, and notes what comes. */
async function follow(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const closing = new AbortController();
  const engine = new Engine({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'k' });
  const seen: string[] = [];
  let say: Say | undefined;
  const unused = (): void => {};
  const followed = followStream({
    engine,
    backoff: new Backoff(systemClock, () => 0),
    log: (line) => void seen.push(line),
    signal: closing.signal,
    up: (given) => {
      say = given;
      seen.push(given ? 'both' : 'down only');
    },
    down: () => void seen.push('down'),
    handlers: {
      hello: ({ session }) => void seen.push(session),
      value: ({ value }) => void seen.push(value),
      assignment: unused,
      values: unused,
      refused: unused,
      mask: unused,
      examine: unused,
      leave: unused,
    },
  });
  const ended = followed.then(
    () => undefined,
    (error: unknown) => error,
  );
  ends.push(async () => {
    closing.abort();
    engine.close();
    server.closeAllConnections();
    server.close();
    await ended;
  });
  return { seen, ended, say: (request: OpsRequest, signal = closing.signal) => say!(request, signal) };
}

/** An engine that has the connection for both ways. */
function upgrading(onLine: (line: string, socket: Socket) => void): Server & { sockets: Socket[] } {
  const sockets: Socket[] = [];
  const server = createServer((_request, response) => response.writeHead(401).end());
  server.on('upgrade', (_request: IncomingMessage, socket: Socket) => {
    sockets.push(socket);
    ends.push(() => socket.destroy());
    socket.write(switched + hello);
    socket.on('data', (part: Buffer) => onLine(String(part).trim(), socket));
    socket.on('error', () => {});
  });
  return Object.assign(server, { sockets });
}

test('says on the connection what there is to say, and hears what became of it', async () => {
  const lines: string[] = [];
  const { seen, say } = await follow(
    upgrading((line, socket) => {
      lines.push(line);
      const results = 'event: results\ndata: {"results":[{"status":"ok"}]}\n\n';
      const problem = 'event: problem\ndata: {"status":503,"detail":"later","retryAfter":2}\n\n';
      socket.write(`event: value\ndata: {"key":"k","value":"v","secret":false}\n\n${lines.length === 1 ? results : problem}`);
    }),
  );
  await vi.waitFor(() => expect(seen).toEqual(['both', 's']));
  expect(await say({ session: 's', ops: [{ op: 'unwait', key: 'é' }] })).toEqual([{ status: 'ok' }]);
  expect(JSON.parse(lines[0]!)).toEqual({ session: 's', ops: [{ op: 'unwait', key: 'é' }] });
  await expect(say({ session: 's', ops: [] })).rejects.toEqual(new HttpError(503, 'later', 2000));
  expect(seen).toEqual(['both', 's', 'v', 'v']);
});

test('what was not answered when the connection broke has failed, and the next connection is for both ways again', async () => {
  const { seen, say } = await follow(upgrading((_line, socket) => socket.destroy()));
  await vi.waitFor(() => expect(seen).toContain('s'));
  const gone = new AbortController();
  const said = say({ session: 's', ops: [] }, gone.signal);
  await vi.waitFor(() => expect(seen).toContain('down'));
  gone.abort();
  await expect(said).rejects.toThrow('down');
  await vi.waitFor(() => expect(seen.filter((each) => each === 'both')).toHaveLength(2));
});

test('an engine that knows this agent no more has the last word', async () => {
  let known = true;
  const server = upgrading(() => {});
  server.removeAllListeners('request').on('request', (_request, response) => response.writeHead(200).end(hello));
  const upgrade = server.listeners('upgrade')[0] as (...given: unknown[]) => void;
  server.removeAllListeners('upgrade').on('upgrade', (request, socket, head) => {
    if (known) upgrade(request, socket, head);
    else socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  });
  const { seen, ended } = await follow(server);
  await vi.waitFor(() => expect(seen).toContain('s'));
  known = false;
  server.sockets[0]?.destroy();
  expect(await ended).toMatchObject({ status: 401 });
  expect(seen).not.toContain('down only');
});

test.each([400, 403, 501])('a proxy that answers %i to such a connection gets the plain stream', async (status) => {
  const server = createServer((_request, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write(hello));
  server.on('upgrade', (_request: IncomingMessage, socket: Socket) => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`));
  const { seen } = await follow(server);
  await vi.waitFor(() => expect(seen).toContain('s'));
  expect(seen.slice(-2)).toEqual(['down only', 's']);
});

test('a server that has never heard of it answers with the plain stream', async () => {
  const { seen } = await follow(createServer((_request, response) => response.writeHead(200).write(hello)));
  await vi.waitFor(() => expect(seen).toEqual(['down only', 's']));
});
