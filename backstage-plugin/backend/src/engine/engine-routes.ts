import { ServerResponse, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { agentProtocol } from '@paceline/api/agent';
import type { RunningServer } from '@paceline/server';
import type { Request, RequestHandler } from 'express';

/** Lets the engine answer what comes to it, with its own ideas of who may do what: agents and replicas have keys of the engine. */
export function engineRoutes({ answer, upgrade }: Pick<RunningServer, 'answer' | 'upgrade'>): RequestHandler {
  const heard = new WeakSet<Server>();
  return (request, response) => {
    hearUpgrades(request, heard, upgrade);
    answer(request, response);
  };
}

/**
 * Agents like to keep one connection for both ways. Backstage tells plugins of no such requests, so they are heard of at the HTTP
 * server itself, from its first request for the engine on. Once somebody listens there, Node tells listeners alone of all requests
 * for another protocol, and the routers of Backstage of none: see `asPlainRequest`.
 */
function hearUpgrades(request: Request, heard: WeakSet<Server>, upgrade: RunningServer['upgrade']): void {
  const { server } = request.socket as { server?: Server };
  if (server === undefined || heard.has(server)) return;
  heard.add(server);
  const root = request.baseUrl;
  server.on('upgrade', (asked: IncomingMessage, socket: Socket, head: Buffer) => {
    if (asked.headers.upgrade === agentProtocol && asked.url?.startsWith(`${root}/`) === true) {
      asked.url = asked.url.slice(root.length);
      upgrade(asked, socket, head);
    } else if (server.listenerCount('upgrade') === 1) {
      asPlainRequest(server, asked, socket);
    }
  });
}

/**
 * What Node does when nobody listens: the request goes through the routers, where plugins such as that of signals notice the first
 * one and begin to listen themselves.
 */
function asPlainRequest(server: Server, request: IncomingMessage, socket: Socket): void {
  socket.on('error', () => socket.destroy());
  // Nobody reads it any more, and so nobody would notice that the other side has gone.
  socket.on('end', () => socket.end()).resume();
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => socket.end());
  server.emit('request', request, response);
}
