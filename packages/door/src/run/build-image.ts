import type { Client, ImageView, RunDetail } from '@paceline/api';
import { PacelineError, type ResolvedDeployment } from '@paceline/model';
import type { RunView } from '../view/run-view.ts';
import { endRun } from './end-run.ts';
import { followRun } from './follow-run.ts';

export interface BuildImageOptions {
  client: Client;
  /** Of one image. */
  deployment: ResolvedDeployment;
  cloud?: string | undefined;
  /** Whose machines are to boot it. */
  project?: string | undefined;
  /** Shows the run that builds it; not called when the image is there. */
  show: (run: RunDetail) => RunView;
  /** Show what scripts write, too. */
  logs: boolean;
  /** Ends the run that builds it, which is waited for. */
  signal?: AbortSignal;
}

/**
 * The image of a module on a cloud: the one that is there, or that a run builds now. A run that was under way already is waited for,
 * and left to whoever asked for it.
 * @throws PACELINE_REQUEST_INVALID for what cannot be built, PACELINE_RUN_ABORTED, and the reason of the signal
 */
export async function buildImage(options: BuildImageOptions): Promise<{ image: ImageView; isNew: boolean }> {
  const { client, deployment, cloud, project, signal } = options;
  const request = { deployment, ...(cloud === undefined ? {} : { cloud }), ...(project === undefined ? {} : { project }) };
  for (;;) {
    const { image, run, joined } = await client.images.build(request);
    if (image !== null) return { image, isNew: false };
    if (run === null) throw new PacelineError('PACELINE_INTERNAL', 'The server neither has the image nor builds it');
    const found = await (joined ? waitFor(run, options) : carryThrough(run, options));
    signal?.throwIfAborted();
    const made = (await client.images.list()).find((one) => one.run === run.id);
    if (made !== undefined) return { image: made, isNew: true };
    // Whoever asked for it does not want it any more; it is wanted here.
    if (joined && found.abort === null) continue;
    throw new PacelineError(
      'PACELINE_RUN_ABORTED',
      `${deployment.name} was not built: ${found.abort?.reason ?? `the run is ${found.state}`}`,
      { hint: `paceline logs ${run.id.slice(0, 8)}` },
    );
  }
}

/** Follows a build that somebody else has asked for. */
async function waitFor(run: RunDetail, { client, show, logs, signal }: BuildImageOptions): Promise<RunDetail> {
  const view = show(run);
  view.note('It was under way already, and is waited for.');
  try {
    return await followRun({ client, run: run.id, view, logs, endsReady: () => false, ...(signal && { signal }) });
  } finally {
    view.close();
  }
}

/** Follows a build, and ends it when the signal says so. */
async function carryThrough(run: RunDetail, { client, show, logs, signal }: BuildImageOptions): Promise<RunDetail> {
  const view = show(run);
  const end = (): void => {
    view.note('The build is ended and its machine is taken down.');
    endRun(client, run.id).catch((error: Error) => view.note(`error: ${error.message}\nhint: Try again: paceline down ${run.id}`));
  };
  try {
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
    return await followRun({ client, run: run.id, view, logs, endsReady: () => false });
  } finally {
    signal?.removeEventListener('abort', end);
    view.close();
  }
}
