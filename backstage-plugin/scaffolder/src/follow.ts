import type { Client, RunDetail } from '@paceline/api';
import { followRun, lastWords } from '@paceline/door';
import { PacelineError } from '@paceline/model';
import type { TaskLog } from './task-log.ts';
import { taskView } from './task-view.ts';

export interface Following {
  client: Client;
  run: string;
  log: TaskLog;
  signal: AbortSignal | undefined;
  until: 'ready' | 'ended';
  /** The last event that is no news. @default everything is shown, and all output */
  after?: number;
}

/** Shows a run in the log of the task until it is where it is waited for. @throws the reason of the signal when the task was cancelled */
export async function follow({ client, run, log, signal, until, after }: Following): Promise<RunDetail> {
  const view = taskView(log);
  try {
    const found = await followRun({
      client,
      run,
      view,
      logs: after === undefined,
      ...(after === undefined ? {} : { after }),
      ...(signal === undefined ? {} : { signal }),
      endsReady: () => until === 'ready',
    });
    signal?.throwIfAborted();
    return found;
  } finally {
    view.close();
  }
}

/** Shows what has happened since an event, and does not wait for more. */
export async function catchUp({ client, run, log, after }: Pick<Following, 'client' | 'run' | 'log'> & { after: number }): Promise<void> {
  const view = taskView(log);
  for (const event of await client.events(run, { after })) view.event(event);
}

/** As `follow`, of a run that has to go well. @throws PACELINE_RUN_ABORTED with what its scripts said last */
export async function followWell(following: Following): Promise<RunDetail> {
  const found = await follow(following);
  if (found.abort === null && found.state !== 'Cancelled') return found;
  for (const { instance, text } of await lastWords(following.client, found)) following.log.say('error', `${instance} | ${text}`);
  throw new PacelineError('PACELINE_RUN_ABORTED', `The run ${found.name} has failed: ${found.abort?.reason ?? 'it was cancelled'}`, {
    hint: `Its page is ${pageOf(found.id)}.`,
  });
}

/** The page of a run, within Backstage. */
export function pageOf(run: string): string {
  return `/paceline/runs/${run}`;
}
