import { createClient } from '@paceline/api';
import { coreServices, createServiceFactory, createServiceRef } from '@backstage/backend-plugin-api';

/** Resolves when what it is about can do its work. @throws why it cannot */
export type Check = () => Promise<void>;

/** Where the plugin says how it is found out whether it can do its work. */
export interface PacelineHealth {
  add(check: Check): void;
  /** Why something cannot do its work; empty when all can. */
  troubles(): Promise<string[]>;
}

export const pacelineHealthRef = createServiceRef<PacelineHealth>({
  id: 'paceline.health',
  scope: 'root',
  defaultFactory: async (service) =>
    createServiceFactory({
      service,
      deps: {},
      factory: () => {
        const checks: Check[] = [];
        return {
          add: (check) => void checks.push(check),
          troubles: async () => (await Promise.allSettled(checks.map((check) => check()))).flatMap(reasonOf),
        };
      },
    }),
});

function reasonOf(result: PromiseSettledResult<void>): string[] {
  if (result.status === 'fulfilled') return [];
  return [result.reason instanceof Error ? result.reason.message : String(result.reason)];
}

/** How long an answer may take before the back end counts as not ready, in milliseconds. */
const answerMs = 5000;

/** Whether runs can be read, of the server or of the database of the engine within. */
export function runsCanBeRead(upstream: { url: string; token: string }, signal: AbortSignal): Check {
  const client = createClient({ ...upstream, signal, timeoutMs: answerMs, busyMs: 0 });
  return async () => void (await client.runs.list({ limit: 1 }));
}

/**
 * Instead of Backstage's own: the back end is ready when Paceline is, too. For those that are there for Paceline: a balancer sends
 * nobody to a back end that is not ready, also not for what has nothing to do with Paceline.
 */
export const pacelineRootHealth = createServiceFactory({
  service: coreServices.rootHealth,
  deps: { lifecycle: coreServices.rootLifecycle, paceline: pacelineHealthRef },
  factory({ lifecycle, paceline }) {
    let trouble: string | undefined = 'Backend has not started yet';
    lifecycle.addStartupHook(() => void (trouble = undefined));
    lifecycle.addBeforeShutdownHook(() => void (trouble = 'Backend is shutting down'));
    return {
      getLiveness: async () => ({ status: 200, payload: { status: 'ok' } }),
      async getReadiness() {
        const troubles = trouble === undefined ? await paceline.troubles() : [trouble];
        if (troubles.length === 0) return { status: 200, payload: { status: 'ok' } };
        return { status: 503, payload: { status: 'error', message: troubles.join('; ') } };
      },
    };
  },
});
