import { info, setOutput, summary } from '@actions/core';
import { dirname, resolve } from 'node:path';
import { stat } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { EventView, RunDetail } from '@paceline/api';
import { chooseClouds, endRun, followRun, namesPublished, requestParameters } from '@paceline/door';
import { PacelineError, toError, type ResolvedDeployment } from '@paceline/model';
import { runSummary, type RunReport } from '../report/summary.ts';
import { failedPlace } from '../report/script-place.ts';
import { annotate } from '../runner/failure.ts';
import { logView } from '../runner/inert.ts';
import { repositoryTag, type Job } from '../runner/job.ts';
import { mask, secretValues } from '../runner/masks.ts';
import { keepAsked, keepCreated } from '../runner/state.ts';
import { connectionOf, openSession, type Session } from '../session/session.ts';
import { moduleFor, once } from './module.ts';
import { publish } from './outputs.ts';
import { requestOf, type DeployOptions } from './options.ts';
import { patiently } from './patience.ts';
import type { Step } from './step.ts';
import { fetchReports, storyOf } from './story.ts';
import { checkCondition, conditionOf, waitForValue } from './wait.ts';

export interface BringUpOptions extends Step {
  id: string;
  options: DeployOptions;
  /** Told how the run came out, well or badly. */
  told: (story: RunReport) => Promise<void>;
}

export interface Up {
  session: Session;
  run: RunDetail;
  story: RunReport;
}

/** A run that has failed and still goes after so long is left to post, which has its own time for it: a cloud may refuse for ever. */
const goingMs = 15_000;

/** So long a server that has started a run may be away when it is asked how the run came out, in milliseconds. */
const awayMs = 10 * 60_000;

/** How long a step that is cancelled tells the server so; post does it again, and waits for the end. */
const lastWordMs = 3000;

/**
 * Starts a run and waits until it is ready, and for what else the step waits. Writes the log, the outputs and the summary.
 * @throws PACELINE_MODULE_INVALID, PACELINE_RUN_ABORTED, PACELINE_TIMEOUT, and what the server refuses the run with
 */
export async function bringUp(given: BringUpOptions): Promise<Up> {
  const { id, inputs, job, cancelled, output } = given;
  const { parametersFile } = given.options;
  const fromFile = parametersFile === undefined ? {} : await requestParameters({ parameter: [], parametersFile }, job.workspace);
  const options = { ...given.options, parameters: { ...fromFile, ...given.options.parameters } };
  const isPublished = await namesPublished(options.deployment, job.workspace);
  const { file } = await chooseClouds(isPublished ? '.' : options.deployment, options.cloudsFile, job.workspace);
  const open = once(() => openSession({ ...connectionOf(inputs), job, run: id, cloudsFile: file }));
  const deployment = await moduleFor(options.deployment, { inputs, job, open });
  for (const secret of secretValues(options.parameters, deployment)) mask(secret);
  const condition = conditionOf(options.waitFor);
  if (condition !== undefined) checkCondition(condition, deployment);
  const session = await open();
  cancelled.throwIfAborted();
  const { client } = session;
  keepAsked();
  const created = await client.runs.create(requestOf(id, deployment, options, tagsOf(job)));
  keepCreated();
  setOutput('run', id);
  info(`Run ${id} of ${created.run.name}, ${created.run.instances.length} machines at first`);
  const view = logView(output, process.env);
  const left = new AbortController();
  const event = (told: EventView): void => {
    view.event(told);
    if (told.type === 'run.state' && told.data['state'] === 'Finalizing') setTimeout(() => left.abort(), goingMs).unref();
  };
  const signal = AbortSignal.any([cancelled, left.signal]);
  let run: RunDetail;
  let missed: unknown;
  try {
    if (cancelled.aborted) throw cancelled.reason as Error;
    run = await followRun({ client, run: id, view: { ...view, event }, logs: true, signal, endsReady: () => true });
    if (condition !== undefined && run.endedAt === null && run.abort === null && !cancelled.aborted) {
      info(`Ready; waiting for ${options.waitFor}`);
      const timeoutMs = options.timeoutMs ?? deployment.timeoutMs;
      await waitForValue(client, run, condition, { timeoutMs, signal: cancelled }).catch((error: unknown) => (missed = error));
      run = await patiently(() => client.runs.get(id), performance.now() + awayMs);
    }
  } finally {
    view.close();
    // What comes after is not to be waited for: post sees to it.
    if (cancelled.aborted) await Promise.race([endRun(client, id).catch(() => {}), pause(lastWordMs, undefined, { ref: false })]);
  }
  cancelled.throwIfAborted();
  const up = await tell(given, session, run, deployment);
  // The run is as good as it was, and its outputs are told; only what was waited for did not come.
  if (missed !== undefined) throw toError(missed);
  return up;
}

/** Says how it came out, and fails when it came out badly. */
async function tell(given: BringUpOptions, session: Session, run: RunDetail, deployment: ResolvedDeployment): Promise<Up> {
  const { options, job, told } = given;
  const { client } = session;
  const reports = resolve(job.workspace, options.settings.reports);
  const story = await patiently(() => storyOf(client, run, deployment), performance.now() + awayMs);
  publish({ run, url: client.url, outputs: story.outputs, reports });
  await summary.addRaw(runSummary(story)).write();
  await told(story);
  await fetchReports(client, run.id, reports, options.settings.reportsLimit);
  if (run.state === 'Ready' && run.abort === null) return { session, run, story };
  // The scripts of a published module are in no file here.
  if (!(await namesPublished(options.deployment, job.workspace))) {
    const folder = await folderOf(resolve(job.workspace, options.deployment.split('#')[0] ?? '.'));
    const place = await failedPlace(run, story.lastWords, { deployment, folder, base: job.workspace });
    if (place !== undefined) annotate(place);
  }
  throw new PacelineError(
    'PACELINE_RUN_ABORTED',
    [run.abort?.reason ?? `The run has ended: ${run.state}`, ...cloudHints(run, job)].join('\n'),
  );
}

/** Without credentials clouds refuse, and pull requests from forks have none. */
function cloudHints({ instances }: RunDetail, { fork }: Job): string[] {
  const noneStarted = instances.every(({ machineId }) => machineId === null);
  return fork && noneStarted ? ['This is a pull request from a fork: its workflows get no secrets, and so no credentials of clouds.'] : [];
}

async function folderOf(path: string): Promise<string> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? path : dirname(path);
}

/** By these people find the runs of a workflow. */
function tagsOf(job: Job): string[] {
  return [repositoryTag(job), `workflow-run:${job.run}.${job.attempt}`];
}
