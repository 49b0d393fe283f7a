import type { Client } from '@paceline/api';
import type {
  LoggerService,
  SchedulerServiceTaskInvocationDefinition,
  SchedulerServiceTaskScheduleDefinition,
} from '@backstage/backend-plugin-api';

type Task = SchedulerServiceTaskScheduleDefinition & SchedulerServiceTaskInvocationDefinition;

/** Removes what no run needs any more, on one back end at a time. */
export function reapTask(client: Pick<Client, 'reap'>, schedule: SchedulerServiceTaskScheduleDefinition, logger: LoggerService): Task {
  return {
    ...schedule,
    id: 'paceline-reap',
    async fn() {
      const { orphans, failures } = await client.reap(true);
      for (const { cloud, kind, id, reason } of orphans) logger.warn(`removed ${kind} ${id} from ${cloud}: ${reason}`);
      for (const { cloud, message } of failures) logger.error(`${cloud} could not be cleaned up: ${message}`);
    },
  };
}
