import type { Server, ServerOptions } from 'node:http';
import { asksForUpgrade } from './upgrades.ts';

/** What a server lets its connections take. */
export interface ConnectionLimits {
  /** Open connections; each agent has one or two, a link and now and then a request beside it. What comes beyond is closed at once. @default 20000 */
  maxConnections: number;
  /** How long the head of a request may take from the first byte, or from the opening of the connection, in milliseconds. @default 20000 */
  headersTimeoutMs: number;
  /** How long a whole request may take to arrive, in milliseconds. Reports that take longer go on where they were cut. @default 300000 */
  requestTimeoutMs: number;
}

export const defaultLimits: ConnectionLimits = { maxConnections: 20_000, headersTimeoutMs: 20_000, requestTimeoutMs: 300_000 };

/** A connection on which nothing was heard for so long is asked for, in milliseconds: the other side may have vanished. */
const probeAfterMs = 30_000;
const longestCheckMs = 5000;
const noteEveryMs = 60_000;

/** How Node's own server keeps the limits on time, and finds connections whose other end is gone. */
export function socketOptions({ headersTimeoutMs, requestTimeoutMs }: ConnectionLimits): ServerOptions & { handshakeTimeout: number } {
  return {
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(longestCheckMs, headersTimeoutMs),
    shouldUpgradeCallback: asksForUpgrade,
    // Of TLS alone.
    handshakeTimeout: headersTimeoutMs,
  };
}

/** Bounds the open connections of a server. `note` hears of it, once a minute at most, when there are too many. */
export function boundConnections(server: Server, { maxConnections }: ConnectionLimits, note: (text: string) => void): void {
  server.maxConnections = maxConnections;
  let noted = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    if (performance.now() - noted < noteEveryMs) return;
    noted = performance.now();
    note(`there are ${maxConnections} connections: no more are taken until some of them end`);
  });
}
