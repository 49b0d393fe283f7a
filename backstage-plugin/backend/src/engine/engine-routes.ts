import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
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
 * server itself, from its first request for the engine on; until then they get their answers one by one.
 */
function hearUpgrades(request: Request, heard: WeakSet<Server>, upgrade: RunningServer['upgrade']): void {
  const { server } = request.socket as { server?: Server };
  if (server === undefined || heard.has(server)) return;
  heard.add(server);
  const root = request.baseUrl;
  server.on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (asked.headers.upgrade === agentProtocol && asked.url?.startsWith(`${root}/`) === true) {
      asked.url = asked.url.slice(root.length);
      upgrade(asked, socket, head);
    } else if (server.listenerCount('upgrade') === 1) {
      // Nobody else is there to answer.
      socket.destroy();
    }
  });
}
