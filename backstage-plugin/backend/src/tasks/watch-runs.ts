import { setTimeout as delay } from 'node:timers/promises';
import type { Client, RunSummary } from '@paceline/api';
import type { LoggerService } from '@backstage/backend-plugin-api';
import type { EventsService } from '@backstage/plugin-events-node';
import type { NotificationService } from '@backstage/plugin-notifications-node';
import { taggedEntity } from '@paceline/backstage-plugin-common';
import { starterOf } from '../runs/rules.ts';
import type { Told } from './told.ts';

export const runTopic = 'paceline.run';

export interface WatchDeps {
  client: Pick<Client, 'runs' | 'followRuns'>;
  told: Pick<Told, 'first'>;
  events: Pick<EventsService, 'publish'>;
  /** Undefined when nobody is to be notified. */
  notifications: Pick<NotificationService, 'send'> | undefined;
  logger: LoggerService;
  signal: AbortSignal;
}

/** Of runs that were begun before, nobody waits for news, in milliseconds. */
const newsMs = 24 * 3_600_000;
const pauseMs = 5000;
const states = ['Ready', 'Done', 'Aborted', 'Cancelled'];

/** Publishes what becomes of the runs that users of this Backstage have started, and tells them, until the signal is aborted. */
export async function watchRuns(deps: WatchDeps): Promise<void> {
  const { client, logger, signal } = deps;
  while (!signal.aborted) {
    const cut = new AbortController();
    try {
      // Followed first, and listed then: nothing falls between.
      const changes = client.followRuns({ signal: AbortSignal.any([signal, cut.signal]), onCut: () => cut.abort() });
      const first = changes.next();
      for (const run of await client.runs.list({ limit: 500 })) await tell(deps, run);
      for (let next = await first; next.done !== true; next = await changes.next()) await tell(deps, next.value.run);
    } catch (error) {
      if (!signal.aborted) logger.warn(`Runs cannot be watched: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      cut.abort();
    }
    await delay(pauseMs, undefined, { signal }).catch(() => {});
  }
}

async function tell({ told, events, notifications, logger }: WatchDeps, run: RunSummary): Promise<void> {
  const starter = starterOf(run);
  if (starter === undefined || !states.includes(run.state) || Date.now() - Date.parse(run.createdAt) > newsMs) return;
  if (!(await told.first(run.id, run.state))) return;
  const entity = taggedEntity(run.tags);
  await events.publish({ topic: runTopic, eventPayload: { ...run, starter, entity: entity ?? null }, metadata: { state: run.state } });
  if (notifications === undefined || (run.state !== 'Ready' && run.state !== 'Aborted')) return;
  await notifications
    .send({
      recipients: { type: 'entity', entityRef: starter },
      payload: {
        title: run.state === 'Ready' ? `${run.name} is ready` : `${run.name} was aborted`,
        link: `/paceline/runs/${run.id}`,
        severity: run.state === 'Ready' ? 'normal' : 'high',
        topic: 'paceline',
        scope: `run:${run.id}`,
      },
    })
    .catch((error: unknown) => logger.warn(`${starter} could not be notified: ${String(error)}`));
}
