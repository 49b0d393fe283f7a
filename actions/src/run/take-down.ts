import { info, warning } from '@actions/core';
import type { Client, RunDetail } from '@paceline/api';
import { endRun, followRun, harmlessLine } from '@paceline/door';
import { isPacelineError, toError } from '@paceline/model';
import { setTimeout as pause } from 'node:timers/promises';
import { logView } from '../runner/inert.ts';
import type { StepOutput } from '../runner/output.ts';
import type { Session } from '../session/session.ts';
import { lockedOut } from './lock-out.ts';
import { patiently } from './patience.ts';

/** A request of a main that was killed may still be under way to a server of others. */
const lateRequestMs = 3000;
const lookMs = 250;
/** So long a cloud has to let nobody in until it is believed: before an engine gets other credentials, and when there are no others. */
const doubtMs = { renewable: 5000, final: 15_000 };

export interface BringDownOptions {
  session: Session;
  run: string;
  output: StepOutput;
  /** By `performance.now()`. */
  deadline: number;
}

/**
 * Ends a run, and asks the clouds what they still show of it. An engine of the job's own does so with the credentials that it has, for
 * they may be the better ones; what these do not reach any more is left to one with those that the job has now.
 */
export async function bringDown(options: BringDownOptions): Promise<{ run: RunDetail; left: string[] | undefined }> {
  const { session, run: id, deadline } = options;
  const first = await takeDown(options, session.embedded ? doubtMs.renewable : doubtMs.final);
  const found = await sweep(session.client, id, deadline);
  if (!first.locked && found.unasked.length === 0) return { run: first.run, left: leftOf(found) };
  if (!(await session.renew())) return { run: first.run, left: leftOf(found) };
  info('The engine is started again with the credentials that the job has now');
  const { run } = await takeDown(options, doubtMs.final);
  return { run, left: leftOf(together(found, await sweep(session.client, id, deadline))) };
}

/** Ends a run and follows it to its end, as long as there is time and a cloud lets the engine in. @returns the run as it is then */
async function takeDown(
  { session, run: id, output, deadline }: BringDownOptions,
  doubtedMs: number,
): Promise<{ run: RunDetail; locked: boolean }> {
  const { client } = session;
  const run = await patiently(() => endRun(client, id), deadline);
  if (run.endedAt !== null) return { run, locked: false };
  const view = logView(output, process.env);
  const over = new AbortController();
  const late = AbortSignal.timeout(Math.max(0, Math.ceil(deadline - performance.now())));
  let locked = false;
  void lockedOut(client, id, { doubtMs: doubtedMs, signal: over.signal }).then((message) => {
    if (message === undefined) return;
    locked = true;
    view.note(message);
    over.abort();
  });
  try {
    const signal = AbortSignal.any([over.signal, late]);
    const follow = { client, run: id, view, after: run.lastEvent, signal, endsReady: () => false };
    const found = await patiently(() => followRun(follow), deadline);
    return { run: found, locked };
  } finally {
    over.abort();
    view.close();
  }
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

/** What the clouds themselves show of a run. */
export interface Sweep {
  left: { cloud: string; what: string }[];
  /** The clouds that could not be asked; `undefined` among them when nobody could be asked for them. */
  unasked: (string | undefined)[];
}

/** What the clouds themselves still show of a run; removes what no run needs. @param deadline until when a server that is away is asked again */
export async function sweep(client: Client, id: string, deadline: number): Promise<Sweep> {
  try {
    const removed = await patiently(() => client.reap(true, [id]), deadline);
    for (const { kind, id: resource, cloud, reason, outcome } of removed.orphans)
      info(harmlessLine(`${outcome === 'removed' ? 'Removed' : 'Asked to remove'} ${kind} ${resource} on ${cloud}: ${reason}`));
    const { orphans, failures } = await patiently(() => client.reap(false, [id]), deadline);
    for (const { cloud, message } of failures) warning(harmlessLine(`${cloud} could not be asked what is left: ${message}`));
    return {
      left: orphans.map(({ kind, id: resource, cloud }) => ({ cloud, what: `${kind} ${resource} on ${cloud}` })),
      unasked: failures.map(({ cloud }) => cloud),
    };
  } catch (error) {
    warning(`The clouds could not be asked what is left: ${toError(error).message}`);
    return { left: [], unasked: [undefined] };
  }
}

/** What is known after two sweeps, the second of which may have got no answer where the first one has. */
export function together(first: Sweep, second: Sweep): Sweep {
  if (second.unasked.includes(undefined)) return first;
  if (first.unasked.includes(undefined)) return second;
  return {
    left: [...first.left.filter(({ cloud }) => second.unasked.includes(cloud)), ...second.left],
    unasked: second.unasked.filter((cloud) => first.unasked.includes(cloud)),
  };
}

/** @returns kind, id and cloud of each thing; undefined when a cloud could not be asked */
export function leftOf({ left, unasked }: Sweep): string[] | undefined {
  return unasked.length > 0 ? undefined : left.map(({ what }) => what);
}
