import { setTimeout as delay } from 'node:timers/promises';
import type { Client, RunSummary } from '@paceline/api';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { EventsService } from '@backstage/plugin-events-node';
import type { NotificationService } from '@backstage/plugin-notifications-node';
import { resourceOf } from '../runs/run-resource.ts';
import type { Self } from '../runs/self.ts';
import type { Told } from './told.ts';

export const runTopic = 'paceline.run';

export interface WatchDeps {
  client: Pick<Client, 'runs' | 'followRuns'>;
  self: Pick<Self, 'name'>;
  told: Pick<Told, 'once'>;
  events: Pick<EventsService, 'publish'>;
  /** Undefined when nobody is to be notified. */
  notifications: Pick<NotificationService, 'send'> | undefined;
  logger: LoggerService;
  signal: AbortSignal;
}

/** Of runs that were begun before, nobody waits for news, in milliseconds. */
const newsMs = 24 * 3_600_000;
const pauseMs = 5000;
const longestPauseMs = 5 * 60_000;
const states = ['Ready', 'Done', 'Aborted', 'Cancelled'];

/**
 * Publishes what becomes of the runs that users of this Backstage have started, and tells them, until the signal is aborted. What
 * could not be told is tried again, less and less often.
 */
export async function watchRuns(deps: WatchDeps): Promise<void> {
  const { client, logger, signal } = deps;
  let failures = 0;
  while (!signal.aborted) {
    const cut = new AbortController();
    try {
      const self = await deps.self.name();
      // Followed first, and listed then: nothing falls between.
      const changes = client.followRuns({ signal: AbortSignal.any([signal, cut.signal]), onCut: () => cut.abort() });
      const first = changes.next();
      // It is waited for below; that it fails meanwhile is no news.
      void first.catch(() => {});
      for (const run of await client.runs.list({ limit: 500 })) await tell(deps, run, self);
      failures = 0;
      for (let next = await first; next.done !== true; next = await changes.next()) await tell(deps, next.value.run, self);
    } catch (error) {
      failures += 1;
      if (!signal.aborted) logger.warn(`What becomes of runs cannot be told: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      cut.abort();
    }
    await delay(Math.min(longestPauseMs, pauseMs * 2 ** Math.max(0, failures - 1)), undefined, { signal }).catch(() => {});
  }
}

/** @throws what the services of Backstage do; what was told by then is not told again */
async function tell({ told, events, notifications }: WatchDeps, run: RunSummary, self: string): Promise<void> {
  const { starter, entity = null } = resourceOf(run, self);
  const { id, name, state } = run;
  if (starter === undefined || !states.includes(state) || Date.now() - Date.parse(run.createdAt) > newsMs) return;
  await told.once(id, state, () => events.publish({ topic: runTopic, eventPayload: { ...run, starter, entity }, metadata: { state } }));
  if (notifications === undefined || (state !== 'Ready' && state !== 'Aborted')) return;
  await told.once(id, `${state} to its starter`, () =>
    notifications.send({
      recipients: { type: 'entity', entityRef: starter },
      payload: {
        title: state === 'Ready' ? `${name} is ready` : `${name} was aborted`,
        link: `/paceline/runs/${id}`,
        severity: state === 'Ready' ? 'normal' : 'high',
        topic: 'paceline',
        scope: `run:${id}`,
      },
    }),
  );
}
