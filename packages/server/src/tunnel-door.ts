import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { App } from './routes/routes.ts';
import { socketOptions, type ConnectionLimits } from './connections.ts';

/** Where connections from tunnels come in: a server that listens to nothing. */
export interface TunnelDoor {
  accept(channel: Duplex): void;
  close(): void;
}

/**
 * Serves the routes for agents, and nothing else, on connections that are handed over. They are plain HTTP also when the server
 * itself speaks TLS: a tunnel is encrypted, and both of its ends are known.
 */
export function openTunnelDoor(app: App, limits: ConnectionLimits): TunnelDoor {
  const server = createServer(socketOptions(limits), (request, response) => {
    if (request.url?.startsWith('/agent/') === true) app.routing(request, response);
    else response.writeHead(404).end();
  });
  server.keepAliveTimeout = app.server.keepAliveTimeout;
  return {
    accept: (channel) => void server.emit('connection', channel),
    close: () => server.closeAllConnections(),
  };
}
