import { error, info, setFailed, summary, warning } from '@actions/core';
import { resolve } from 'node:path';
import type { Client, RunDetail } from '@paceline/api';
import { dayAndTime } from '@paceline/door';
import { toError, type KeepRunning } from '@paceline/model';
import { keepReports } from '../github/reports-artifact.ts';
import { remains, takeDownFailure } from '../report/remains.ts';
import { endingLine, endingSummary, type Ending } from '../report/summary.ts';
import { stateOf, type Job } from '../runner/job.ts';
import type { StepOutput } from '../runner/output.ts';
import type { CommandOutcome, Kept } from '../runner/state.ts';
import { openSession } from '../session/session.ts';
import { messenger } from './messages.ts';
import { deployOptions, isKept, type DeployOptions } from './options.ts';
import type { Step } from './step.ts';
import { eventsOf, fetchReports } from './story.ts';
import { findRun, sweep, takeDown } from './take-down.ts';
import { existsSync } from 'node:fs';

/**
 * What is to be done when the job is over, however it ended: the machines go, unless they are to be kept; the reports become an
 * artifact; the clouds are asked whether anything is left. It needs nothing of main but the id of the run.
 */
export async function deployPost({ inputs, job, output }: Step, { run: id, created, deployment, command }: Kept): Promise<void> {
  const options = deployOptions(inputs);
  const isEmbedded = inputs.text('server') === undefined;
  if (isEmbedded && !existsSync(stateOf(job, id))) return info('No engine was started: there is nothing to take down');
  const session = await openSession({ inputs, job, run: id, afresh: isEmbedded });
  try {
    const { client } = session;
    const found = await findRun(client, id, created || isEmbedded);
    if (found === undefined) {
      const left = isEmbedded ? await sweep(client, id) : [];
      return report(undefined, left, isEmbedded);
    }
    const { run, ending } = await endOrKeep(client, found, { policy: options.keepRunning, command }, output);
    const artifactUrl = await reportsOf(client, id, options, job);
    const told = { ...ending, artifactUrl };
    info(endingLine(run, told));
    const text = endingSummary({ run, events: await eventsOf(client, id), now: Date.now() }, told);
    await summary.addRaw(text).write();
    const message = messenger(inputs, options, job);
    await message.deployment(deployment, told.kept === undefined ? 'inactive' : 'success');
    await message.comment(text);
    if (told.kept === undefined) report(run, told.left, isEmbedded);
  } finally {
    await session.close();
  }
}

async function endOrKeep(
  client: Client,
  found: RunDetail,
  { policy, command }: { policy: KeepRunning; command: CommandOutcome },
  output: StepOutput,
): Promise<{ run: RunDetail; ending: Ending }> {
  const outcome = found.abort !== null || found.state !== 'Ready' ? 'failed' : command;
  if (found.endedAt === null && found.state === 'Ready' && isKept(policy, outcome)) {
    const why = {
      succeeded: 'the run is ready',
      failed: `the ${command === 'failed' ? 'command' : 'run'} has failed`,
      cut: 'the command was cut short',
    };
    const kept = `keep-running is ${policy}, and ${why[outcome]}`;
    warning(`The machines of the run ${found.id} stay until ${dayAndTime(found.expiresAt)}`);
    return { run: found, ending: { kept, left: undefined, artifactUrl: undefined } };
  }
  const run = await takeDown(client, found.id, output);
  const left = await sweep(client, found.id);
  return { run, ending: { kept: undefined, left, artifactUrl: undefined } };
}

/** Reports that cannot be kept are no reason to leave machines behind, or to fail what has worked. */
async function reportsOf(client: Client, id: string, { reports, artifact }: DeployOptions, job: Job): Promise<string | undefined> {
  try {
    const folder = resolve(job.workspace, reports);
    const files = await fetchReports(client, id, folder);
    if (files.length === 0 || process.env['ACTIONS_RUNTIME_TOKEN'] === undefined) return undefined;
    return await keepReports(
      `${artifact}-${id.slice(-8)}`,
      files.map(({ path }) => path),
      folder,
      job,
    );
  } catch (cause) {
    warning(`The reports are not kept as an artifact: ${toError(cause).message}`);
    return undefined;
  }
}

function report(run: RunDetail | undefined, left: readonly string[] | undefined, embedded: boolean): void {
  for (const thing of [...(run === undefined ? [] : remains(run)), ...(left ?? [])]) error(`Left over: ${thing}`);
  const failure = takeDownFailure(run, left, embedded);
  if (failure !== undefined) setFailed(failure);
}
