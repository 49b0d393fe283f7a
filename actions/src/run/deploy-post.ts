import { error, info, setFailed, summary, warning } from '@actions/core';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { RunDetail } from '@paceline/api';
import { dayAndTime } from '@paceline/door';
import { toError } from '@paceline/model';
import type { DeploymentState } from '../github/deployment.ts';
import { keepReports } from '../github/reports-artifact.ts';
import { remains, takeDownFailure } from '../report/remains.ts';
import { endingCommentBytes, endingLine, endingSummary, type Ending } from '../report/summary.ts';
import { stateOf, type Job } from '../runner/job.ts';
import type { Kept } from '../runner/state.ts';
import { stopEngine } from '../session/embedded.ts';
import { openSession, type Session } from '../session/session.ts';
import { messenger } from './messages.ts';
import { patiently } from './patience.ts';
import { isKept, jobStatusOf, outcomeOf, takeDownMs, type JobStatus, type Settings } from './settings.ts';
import type { Step } from './step.ts';
import { eventsOf, fetchReports } from './story.ts';
import { bringDown, findRun, leftOf, sweep } from './take-down.ts';

/**
 * What is to be done when the job is over, however it ended: the machines go, unless they are to be kept; the reports become an
 * artifact; the clouds are asked whether anything is left. Of the inputs it takes only tokens, and how the job has come out: the others it
 * has from main, for the runner works inputs out anew.
 */
export async function deployPost(step: Step, known: Kept): Promise<void> {
  const { inputs, job } = step;
  const { run: id, settings, deployment } = known;
  const embedded = settings.server === undefined;
  const message = messenger({ token: inputs.text('token'), settings, job });
  if (!known.asked || (embedded && !existsSync(stateOf(job, id)))) {
    if (embedded) await stopEngine(stateOf(job, id));
    if (known.outcome === 'cut') await message.deployment(deployment, 'inactive');
    return info('No run was asked for: there is nothing to take down');
  }
  const status = jobStatusOf(inputs);
  const deadline = performance.now() + takeDownMs(known.outcome, status);
  // What a main that was killed has asked for is in the store of its engine by then, or will not be carried out.
  if (embedded && !known.created) await stopEngine(stateOf(job, id));
  const open = (): Promise<Session> => openSession({ server: settings.server, token: inputs.text('server-token'), job, run: id });
  const session = await (embedded ? open() : patiently(open, deadline));
  try {
    const { client } = session;
    const found = await patiently(() => findRun(client, id, known.created || embedded), deadline);
    if (found === undefined) {
      const left = embedded ? leftOf(await sweep(client, id, deadline)) : [];
      await message.deployment(deployment, 'inactive');
      return report(undefined, left, embedded);
    }
    const { run, ending } = await endOrKeep(step, { session, found, known, status, deadline });
    const artifactUrl = await reportsOf(session, id, settings, job);
    const told = { ...ending, artifactUrl };
    info(endingLine(run, told));
    const events = await eventsOf(client, id).catch(() => []);
    const text = (bytes?: number): string => endingSummary({ run, events, now: Date.now() }, told, bytes);
    await summary.addRaw(text()).write();
    await message.deployment(deployment, stateAfter(found, known, told), told.kept === undefined ? undefined : run);
    await message.comment(id, { ending: text(endingCommentBytes) });
    if (told.kept === undefined) report(run, told.left, embedded);
  } finally {
    await session.close();
  }
}

/** What GitHub shows of a deployment from now on: one that failed does not become one that was merely taken down. */
function stateAfter({ abort }: RunDetail, { outcome }: Kept, { kept }: Ending): DeploymentState {
  if (abort !== null || outcome === 'failed') return 'failure';
  return kept === undefined ? 'inactive' : 'success';
}

interface Found {
  session: Session;
  found: RunDetail;
  known: Kept;
  status: JobStatus | undefined;
  deadline: number;
}

async function endOrKeep(
  { output }: Step,
  { session, found, known, status, deadline }: Found,
): Promise<{ run: RunDetail; ending: Ending }> {
  const { keepRunning } = known.settings;
  const outcome = outcomeOf(found, known.outcome, status);
  if (found.endedAt === null && found.state === 'Ready' && isKept(keepRunning, outcome)) {
    const what = found.abort !== null ? 'the run' : known.outcome === 'failed' ? 'the step' : 'the job';
    const why = { succeeded: 'the run is ready', failed: `${what} has failed`, cut: `${what} was cut short` };
    warning(`The machines of the run ${found.id} stay until ${dayAndTime(found.expiresAt)}`);
    return { run: found, ending: { kept: `keep-running is ${keepRunning}, and ${why[outcome]}`, left: undefined, artifactUrl: undefined } };
  }
  const { run, left } = await bringDown({ session, run: found.id, output, deadline });
  return { run, ending: { kept: undefined, left, artifactUrl: undefined } };
}

/** Reports that cannot be kept are no reason to leave machines behind, or to fail what has worked. */
async function reportsOf({ client }: Session, id: string, settings: Settings, job: Job): Promise<string | undefined> {
  const { reports, reportsLimit, artifact, retentionDays } = settings;
  if (artifact === undefined || process.env['ACTIONS_RUNTIME_TOKEN'] === undefined) return undefined;
  try {
    const folder = resolve(job.workspace, reports);
    const files = (await fetchReports(client, id, folder, reportsLimit)).map(({ path }) => path);
    if (files.length === 0) return undefined;
    return await keepReports({ name: `${artifact}-${id.slice(-8)}`, files, folder, retentionDays }, job);
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
