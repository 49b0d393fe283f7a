import { info, setFailed, setOutput, summary, warning } from '@actions/core';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client, ReapReport } from '@paceline/api';
import { chooseClouds } from '@paceline/door';
import { code, plain, table } from './report/markdown.ts';
import { leftovers, type Orphan } from './run/leftovers.ts';
import { connectionInputs } from './run/options.ts';
import { runStep, type Step } from './run/step.ts';
import { openSession } from './session/session.ts';

/** Removes what jobs have left behind whose runner was lost before its post step. For a scheduled workflow. */
async function main({ inputs, job }: Step): Promise<void> {
  const clouds = inputs.text('clouds');
  const dry = inputs.flag('dry-run');
  const { file } = await chooseClouds('.', clouds, job.workspace);
  const session = await openSession({ inputs, job, run: `reap-${randomUUID()}`, cloudsFile: file });
  try {
    const { client } = session;
    if (session.embedded && file === null)
      warning(
        'There is no file of clouds in the workspace: only what is on this runner itself is looked for. The input `clouds` names one.',
      );
    const { orphans, failures } = await client.reap(false);
    for (const { cloud, message } of failures) warning(`${cloud} could not be asked: ${message}`);
    const token = session.embedded ? inputs.needed('token') : '';
    const { over, spared } = session.embedded
      ? await leftovers(orphans, {
          kept: inputs.flag('kept'),
          isOver: async (run, attempt) => (await import('./github/workflow-run.ts')).isOver(token, job.repository, run, attempt),
        })
      : // A server knows its own runs: what it calls an orphan is one.
        { over: [...new Set(orphans.map(({ run }) => run))], spared: [] };
    const { left, refusals } = dry ? { left: new Set<string>(), refusals: [] } : await remove(client, over);
    const outcomeOf = (orphan: Orphan): string => {
      if (!over.includes(orphan.run)) return `left alone: ${spared.find(({ run }) => run === orphan.run)?.reason ?? ''}`;
      if (dry) return 'would be removed';
      return left.has(nameOf(orphan)) ? 'still there' : 'removed';
    };
    await tell(orphans, outcomeOf);
    setOutput('removed', String(dry ? 0 : orphans.filter(({ run }) => over.includes(run)).length - left.size));
    setOutput('found', String(orphans.length));
    for (const { cloud, message } of refusals) warning(`${cloud}: ${message}`);
    if (left.size > 0) setFailed(`${left.size} could not be removed: ${[...left].join(', ')}`);
    else if (failures.length + refusals.length > 0)
      setFailed(
        `There may be more: ${new Set([...failures, ...refusals].map(({ cloud }) => cloud)).size} clouds did not do what was asked`,
      );
  } finally {
    await session.close();
  }
}

/** What clouds have agreed to end may still be shown for so long, in milliseconds. */
const goingMs = 60_000;
const lookMs = 2000;

/** @returns what the clouds still show afterwards, and what they had to say */
async function remove(client: Client, runs: readonly string[]): Promise<{ left: Set<string>; refusals: ReapReport['failures'] }> {
  if (runs.length === 0) return { left: new Set(), refusals: [] };
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

async function tell(orphans: readonly Orphan[], outcomeOf: (orphan: Orphan) => string): Promise<void> {
  for (const orphan of orphans) info(`${nameOf(orphan)}, run ${orphan.run}: ${outcomeOf(orphan)}`);
  if (orphans.length === 0) info('Nothing is left over');
  const rows = orphans
    .slice(0, 500)
    .map((orphan) => [plain(orphan.cloud), plain(orphan.kind), code(orphan.id), code(orphan.run), plain(outcomeOf(orphan))]);
  const text = rows.length === 0 ? 'Nothing is left over.' : table(['Cloud', 'Kind', 'Name', 'Run', ''], rows);
  await summary.addRaw(`### Leftovers\n\n${text}\n`).write();
}

await runStep(['clouds', 'dry-run', 'kept', ...connectionInputs], main);
