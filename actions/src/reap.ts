import { info, setFailed, setOutput, summary, warning } from '@actions/core';
import { randomUUID } from 'node:crypto';
import { chooseClouds, harmlessLine } from '@paceline/door';
import { code, plain, table } from './report/markdown.ts';
import { connectionInputs } from './run/options.ts';
import { reapClouds, reapRuns, type Cleared, type ReapPorts } from './run/reaping.ts';
import { runStep, type Step } from './run/step.ts';
import { connectionOf, openSession } from './session/session.ts';

/** Removes what jobs have left behind whose runner was lost before its post step. For a scheduled workflow. */
async function main({ inputs, job }: Step): Promise<void> {
  const clouds = inputs.text('clouds');
  const connection = connectionOf(inputs);
  const { file } = await chooseClouds('.', clouds, job.workspace);
  const session = await openSession({ ...connection, job, run: `reap-${randomUUID()}`, cloudsFile: file });
  try {
    const { client, embedded } = session;
    if (embedded && file === null)
      warning(
        'There is no file of clouds in the workspace: only what is on this runner itself is looked for. The input `clouds` names one.',
      );
    if (!embedded && clouds !== undefined) warning('The input `clouds` is for an engine in the job: a server has clouds of its own.');
    const token = inputs.needed('token');
    const ports: ReapPorts = {
      client,
      job,
      dry: inputs.flag('dry-run'),
      kept: inputs.flag('kept'),
      isOver: async (run, attempt) => (await import('./github/workflow-run.ts')).isOver(token, job.repository, run, attempt),
    };
    // A server knows its runs: what none of them needs is nobody's, and those of workflows that are over are looked for among them.
    const runs = embedded ? undefined : await reapRuns(ports);
    const found = await reapClouds(ports, embedded);
    await tell([...(runs?.rows ?? []), ...found.rows]);
    setOutput('removed', String((runs?.removed ?? 0) + found.removed));
    setOutput('found', String((runs?.rows ?? []).length + found.rows.length));
    for (const { cloud, message } of found.refusals) warning(harmlessLine(`${cloud}: ${message}`));
    if (found.left.length > 0) setFailed(`${found.left.length} could not be removed: ${found.left.join(', ')}`);
    else if (found.refusals.length > 0)
      setFailed(`There may be more: ${new Set(found.refusals.map(({ cloud }) => cloud)).size} clouds did not do what was asked`);
  } finally {
    await session.close();
  }
}

async function tell(cleared: readonly Cleared[]): Promise<void> {
  for (const { kind, name, place, run, outcome } of cleared) info(harmlessLine(`${kind} ${name} on ${place}, run ${run}: ${outcome}`));
  if (cleared.length === 0) info('Nothing is left over');
  const rows = cleared
    .slice(0, 500)
    .map(({ kind, name, place, run, outcome }) => [plain(place), plain(kind), code(name), code(run), plain(outcome)]);
  const text = rows.length === 0 ? 'Nothing is left over.' : table(['Cloud', 'Kind', 'Name', 'Run', ''], rows);
  await summary.addRaw(`### Leftovers\n\n${text}\n`).write();
}

await runStep(['clouds', 'dry-run', 'kept', ...connectionInputs], main);
