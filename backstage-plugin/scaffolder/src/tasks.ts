import type { AuthService, LoggerService } from '@backstage/backend-plugin-api';
import type { ScaffolderService } from '@backstage/plugin-scaffolder-node';
import type { ClientFor } from './clients.ts';
import { TaskLog } from './task-log.ts';

/** What actions know of the step that they carry out. */
export interface Step {
  logger: LoggerService;
  /** The same one for all steps of a task, for as long as this back end is at it. */
  signal?: AbortSignal | undefined;
  task: { id: string };
  step?: { id?: string | undefined } | undefined;
}

/** An attempt of this back end at a step. */
export interface Attempt {
  log: TaskLog;
  /** Which turn of the step this is: one with `each` has several, and keeps checkpoints for all of them. From 0 on. */
  turn: number;
}

/** What actions need of the back end. */
export interface Tasks {
  clientFor: ClientFor;
  /** To be called once for each call of an action. */
  begin: (step: Step) => Promise<Attempt>;
}

/** @returns what a task has in its log */
export type PastOf = (task: string) => Promise<{ body: { message: string; stepId?: string | undefined } }[]>;

/** The logs of tasks, as the service of Backstage tells them to its own. */
export function pastFrom(scaffolder: Pick<ScaffolderService, 'getLogs'>, auth: AuthService): PastOf {
  return async (taskId) => scaffolder.getLogs({ taskId }, { credentials: await auth.getOwnServiceCredentials() });
}

export function tasksOf(clientFor: ClientFor, pastOf: PastOf): Tasks {
  const begun = new WeakMap<AbortSignal, Map<string, { log: Promise<TaskLog>; turns: number }>>();
  const open = async ({ logger, task, step }: Step): Promise<TaskLog> => {
    try {
      const past = await pastOf(task.id);
      const lines = past.filter(({ body }) => body.stepId === step?.id).map(({ body }) => body.message);
      return new TaskLog(logger, lines);
    } catch (error) {
      logger.warn(`What this task has logged before cannot be read, so some of it may come twice: ${String(error)}`);
      return new TaskLog(logger, []);
    }
  };
  return {
    clientFor,
    async begin(step) {
      const steps = (step.signal && begun.get(step.signal)) ?? new Map<string, { log: Promise<TaskLog>; turns: number }>();
      if (step.signal !== undefined) begun.set(step.signal, steps);
      const id = step.step?.id ?? '';
      const known = steps.get(id) ?? { log: open(step), turns: 0 };
      steps.set(id, known);
      return { log: await known.log, turn: known.turns++ };
    },
  };
}
