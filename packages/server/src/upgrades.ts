import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { agentProtocol } from '@paceline/api';
import type { FastifyReply } from 'fastify';
import type { App } from './routes/routes.ts';

interface Upgrade {
  socket: Socket;
  /** What the other side has said already. */
  head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** Other protocols are ignored: their requests are answered over HTTP. */
export function asksForUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade === agentProtocol;
}

/** Sends requests for an upgrade through the routes like any other: what refuses them says so over HTTP. */
export function acceptUpgrades(app: App): void {
  const open = new Set<Socket>();
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket);
    response.on('finish', () => socket.end());
    upgrades.set(request, { socket, head });
    app.routing(request, response);
  });
  // To the HTTP server they are none of its connections any more.
  app.addHook('preClose', async () => open.forEach((socket) => socket.destroy()));
}

/** Whether the other side wants, and this one can, have the connection for both ways. */
export function canUpgrade(request: IncomingMessage): boolean {
  return upgrades.has(request);
}

/** Ends HTTP on the connection of a request that asked for it. */
export function takeConnection(reply: FastifyReply): Socket {
  const upgrade = upgrades.get(reply.request.raw);
  if (upgrade === undefined) throw new Error(`${reply.request.url} was not asked to be more than HTTP`);
  const { socket, head } = upgrade;
  reply.hijack();
  reply.raw.detachSocket(socket);
  socket.setNoDelay(true);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${agentProtocol}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return socket;
}
