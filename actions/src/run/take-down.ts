import { info, warning } from '@actions/core';
import type { Client, RunDetail } from '@paceline/api';
import { endRun, followRun } from '@paceline/door';
import { isPacelineError, toError } from '@paceline/model';
import { setTimeout as pause } from 'node:timers/promises';
import { logView } from '../runner/inert.ts';
import type { StepOutput } from '../runner/output.ts';

/** The runner gives a cancelled job five minutes for all that is left to do. */
export const takeDownMs = 4 * 60_000;
/** A request of a main that was killed may still be under way to a server of others. */
const lateRequestMs = 3000;
const lookMs = 250;

/** So often the clouds are asked whether they let anybody in. */
const askMs = 15_000;

/** Ends a run and follows it to its end, as long as there is time and a cloud lets anybody in. @returns the run as it is then */
export async function takeDown(client: Client, id: string, output: StepOutput, budgetMs = takeDownMs): Promise<RunDetail> {
  const run = await endRun(client, id);
  if (run.endedAt !== null) return run;
  const view = logView(output, process.env);
  const refused = new AbortController();
  const signal = AbortSignal.any([refused.signal, AbortSignal.timeout(budgetMs)]);
  const asking = setInterval(() => {
    void lockedOut(client, run).then((message) => {
      if (message === undefined || refused.signal.aborted) return;
      view.note(message);
      refused.abort();
    });
  }, askMs);
  try {
    return await followRun({ client, run: id, view, after: run.lastEvent, signal, endsReady: () => false });
  } finally {
    clearInterval(asking);
    view.close();
  }
}

/** Why a cloud of the run lets nobody in; a job gets no other credentials by waiting. */
async function lockedOut(client: Client, { instances }: RunDetail): Promise<string | undefined> {
  // Who may not ask waits.
  const clouds = await client.clouds().catch(() => []);
  const [locked] = clouds.filter(({ name, failure }) => failure?.code === 'auth' && instances.some(({ cloud }) => cloud === name));
  return locked && `${locked.name} lets nobody in: ${locked.failure?.message ?? ''}. It is not waited for.`;
}

/** The run, if there is one. @param created whether main has heard that there is: otherwise its request may come a little late */
export async function findRun(client: Client, id: string, created: boolean): Promise<RunDetail | undefined> {
  const deadline = performance.now() + (created ? 0 : lateRequestMs);
  for (;;) {
    try {
      return await client.runs.get(id);
    } catch (error) {
      if (!isPacelineError(error) || error.code !== 'PACELINE_NOT_FOUND') throw error;
      if (performance.now() >= deadline) return undefined;
    }
    await pause(lookMs);
  }
}

/**
 * What the clouds themselves still show of a run; removes what no run needs.
 * @returns kind, id and cloud of each thing; undefined when a cloud could not be asked
 */
export async function sweep(client: Client, id: string): Promise<string[] | undefined> {
  try {
    const removed = await client.reap(true, [id]);
    for (const { kind, id: resource, cloud, reason, outcome } of removed.orphans)
      info(`${outcome === 'removed' ? 'Removed' : 'Asked to remove'} ${kind} ${resource} on ${cloud}: ${reason}`);
    const { orphans, failures } = await client.reap(false, [id]);
    for (const { cloud, message } of failures) warning(`${cloud} could not be asked what is left: ${message}`);
    return failures.length > 0 ? undefined : orphans.map(({ kind, id: resource, cloud }) => `${kind} ${resource} on ${cloud}`);
  } catch (error) {
    warning(`The clouds could not be asked what is left: ${toError(error).message}`);
    return undefined;
  }
}
