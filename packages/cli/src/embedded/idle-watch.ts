import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';

const requestStart = 'http.server.request.start';

export interface IdleWatch {
  /** How many requests, streams among them, are under way. */
  readonly underWay: number;
  stop(): void;
}

/**
 * Calls back once, when for a while no request came or was under way and nothing else is going on.
 * @param idleMs how long nothing has to happen, in milliseconds
 * @param busy whether there is work that nobody has to ask for
 */
export function watchIdle(idleMs: number, busy: () => boolean, onIdle: () => void): IdleWatch {
  let underWay = 0;
  let lastUse = performance.now();
  const used = (message: unknown): void => {
    const { response } = message as { response: ServerResponse };
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
      lastUse = performance.now();
    });
  };
  subscribe(requestStart, used);
  const timer = setInterval(
    () => {
      if (underWay > 0 || busy()) lastUse = performance.now();
      if (performance.now() - lastUse < idleMs) return;
      stop();
      onIdle();
    },
    Math.min(250, idleMs / 4),
  );
  const stop = (): void => {
    clearInterval(timer);
    unsubscribe(requestStart, used);
  };
  return {
    get underWay() {
      return underWay;
    },
    stop,
  };
}
