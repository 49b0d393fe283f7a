import { info, setFailed, setOutput, summary, warning } from '@actions/core';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Client } from '@paceline/api';
import { code, plain, table } from './report/markdown.ts';
import { leftovers, type Leftovers, type Orphan } from './run/leftovers.ts';
import { connectionInputs } from './run/options.ts';
import { runStep, type Step } from './run/step.ts';
import { openSession } from './session/session.ts';

/** Removes what jobs have left behind whose runner was lost before its post step. For a scheduled workflow. */
async function main({ inputs, job }: Step): Promise<void> {
  const clouds = inputs.text('clouds');
  const dry = inputs.flag('dry-run');
  const file = clouds === undefined ? null : resolve(job.workspace, clouds);
  const session = await openSession({ inputs, job, run: `reap-${randomUUID()}`, cloudsFile: file });
  try {
    const { client } = session;
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
    const left = dry ? [] : await remove(client, over);
    await tell(orphans, { over, spared }, dry);
    setOutput('removed', String(dry ? 0 : orphans.filter(({ run }) => over.includes(run)).length - left.length));
    setOutput('found', String(orphans.length));
    if (left.length > 0) setFailed(`${left.length} could not be removed: ${left.map(({ id }) => id).join(', ')}`);
    else if (failures.length > 0) setFailed(`${failures.length} clouds could not be asked`);
  } finally {
    await session.close();
  }
}

/** @returns what is there all the same */
async function remove(client: Client, runs: readonly string[]): Promise<Orphan[]> {
  if (runs.length === 0) return [];
  await client.reap(true, runs);
  return (await client.reap(false, runs)).orphans;
}

async function tell(orphans: readonly Orphan[], { over, spared }: Leftovers, dry: boolean): Promise<void> {
  const reasonOf = (run: string): string =>
    over.includes(run) ? (dry ? 'would be removed' : 'removed') : `left alone: ${spared.find((one) => one.run === run)?.reason ?? ''}`;
  for (const { cloud, kind, id, run } of orphans) info(`${kind} ${id} on ${cloud}, run ${run}: ${reasonOf(run)}`);
  if (orphans.length === 0) info('Nothing is left over');
  const rows = orphans
    .slice(0, 500)
    .map(({ cloud, kind, id, run }) => [plain(cloud), plain(kind), code(id), code(run), plain(reasonOf(run))]);
  const text = rows.length === 0 ? 'Nothing is left over.' : table(['Cloud', 'Kind', 'Name', 'Run', ''], rows);
  await summary.addRaw(`### Leftovers\n\n${text}\n`).write();
}

await runStep(['clouds', 'dry-run', 'kept', ...connectionInputs], main);
