import { info } from '@actions/core';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, ReapReport, RunSummary } from '@paceline/api';
import { endRun, harmlessLine } from '@paceline/door';
import { isPacelineError } from '@paceline/model';
import type { Job } from '../runner/job.ts';
import { leftovers, runsOf, type Leftovers, type LeftoversOptions, type Orphan } from './leftovers.ts';

export interface ReapPorts extends LeftoversOptions {
  client: Client;
  job: Job;
  /** Only look. */
  dry: boolean;
}

/** A thing that was found, and what has become of it. */
export interface Cleared {
  kind: string;
  name: string;
  /** The cloud, or `the server`. */
  place: string;
  run: string;
  outcome: string;
}

/** What clouds have agreed to end may still be shown for so long, in milliseconds. */
const goingMs = 60_000;
const lookMs = 2000;
const runsAtOnce = 500;

/** Ends the runs on a server of workflows of this repository that GitHub calls over: their runners were lost before they could do it. */
export async function reapRuns(ports: ReapPorts): Promise<{ rows: Cleared[]; removed: number }> {
  const { client, job, dry } = ports;
  const runs = await leftovers(runsOf(await activeRuns(client), job), ports);
  const state = new Map(runs.over.map((run) => [run, dry ? 'would be ended' : 'the server ends it']));
  if (!dry) for (const run of runs.over) await endRun(client, run);
  const deadline = performance.now() + goingMs;
  for (const run of dry ? [] : runs.over) {
    while ((await client.runs.get(run)).endedAt === null && performance.now() < deadline) await pause(lookMs);
    if ((await client.runs.get(run)).endedAt !== null) state.set(run, 'ended');
  }
  const row = (run: string, outcome: string): Cleared => ({ kind: 'run', name: run, place: 'the server', run, outcome });
  const rows = [
    ...[...state].map(([run, outcome]) => row(run, outcome)),
    ...runs.spared.map(({ run, reason }) => row(run, `left alone: ${reason}`)),
  ];
  return { rows, removed: dry ? 0 : runs.over.length };
}

async function activeRuns(client: Client): Promise<RunSummary[]> {
  const runs: RunSummary[] = [];
  for (;;) {
    const page = await client.runs.list({ active: true, limit: runsAtOnce, offset: runs.length });
    runs.push(...page);
    if (page.length < runsAtOnce) return runs;
  }
}

/** Removes what the clouds show that nobody needs. @param embedded whether the engine knows no runs, so that GitHub has to be asked */
export async function reapClouds(
  ports: ReapPorts,
  embedded: boolean,
): Promise<{ rows: Cleared[]; removed: number; left: string[]; refusals: ReapReport['failures'] }> {
  const { client, dry } = ports;
  const seen = await client.reap(false).catch((error: unknown) => {
    if (embedded || !isPacelineError(error) || error.code !== 'PACELINE_FORBIDDEN') throw error;
    info('What belongs to no run of the server is shown to its operators alone, and was not looked for');
    return { orphans: [], failures: [], accounts: [], seen: 0 };
  });
  for (const { cloud, account } of seen.accounts) info(harmlessLine(`Looked into ${account} for ${cloud}`));
  const { orphans } = seen;
  const runs = orphans.map(({ run }) => run);
  const { over, spared }: Leftovers = embedded ? await leftovers(runs, ports) : { over: [...new Set(runs)], spared: [] };
  // A server that shares its tag with others does not know whether these need what it calls an orphan, and refuses unless runs are named.
  const { left, refusals } =
    dry || over.length === 0 ? { left: new Set<string>(), refusals: [] } : await remove(client, embedded ? over : undefined);
  const outcomeOf = (orphan: Orphan): string => {
    if (!over.includes(orphan.run)) return `left alone: ${spared.find(({ run }) => run === orphan.run)?.reason ?? ''}`;
    if (dry) return 'would be removed';
    return left.has(nameOf(orphan)) ? 'still there' : 'removed';
  };
  return {
    rows: orphans.map((orphan) => ({
      ...{ kind: orphan.kind, name: orphan.id, place: orphan.cloud, run: orphan.run },
      outcome: outcomeOf(orphan),
    })),
    removed: dry ? 0 : orphans.filter(({ run }) => over.includes(run)).length - left.size,
    left: [...left],
    refusals: [...seen.failures, ...refusals],
  };
}

/** @returns what the clouds still show afterwards, and what they had to say */
async function remove(
  client: Client,
  runs: readonly string[] | undefined,
): Promise<{ left: Set<string>; refusals: ReapReport['failures'] }> {
  const removal = await client.reap(true, runs);
  const going = removal.orphans.filter(({ outcome }) => outcome === 'ending').map(nameOf);
  const deadline = performance.now() + goingMs;
  for (;;) {
    const { orphans, failures } = await client.reap(false, runs);
    const left = new Set(orphans.map(nameOf));
    if (!going.some((name) => left.has(name)) || performance.now() > deadline)
      return { left, refusals: [...removal.failures, ...failures] };
    await pause(lookMs);
  }
}

function nameOf({ cloud, kind, id }: Orphan): string {
  return `${kind} ${id} on ${cloud}`;
}
