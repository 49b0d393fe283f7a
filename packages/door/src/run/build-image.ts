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
  /** Shows the run that builds it; not called when the image is there. */
  show: (run: RunDetail) => RunView;
  /** Show what scripts write, too. */
  logs: boolean;
  /** Ends the run that builds it, which is waited for. */
  signal?: AbortSignal;
}

/**
 * The image of a module on a cloud: the one that is there, or that a run builds now.
 * @throws PACELINE_REQUEST_INVALID for what cannot be built, PACELINE_RUN_ABORTED, and the reason of the signal
 */
export async function buildImage(options: BuildImageOptions): Promise<{ image: ImageView; isNew: boolean }> {
  const { client, deployment, cloud, show, logs, signal } = options;
  const { image, run } = await client.images.build({ deployment, ...(cloud === undefined ? {} : { cloud }) });
  if (image !== null) return { image, isNew: false };
  if (run === null) throw new PacelineError('PACELINE_INTERNAL', 'The server neither has the image nor builds it');
  const view = show(run);
  const end = (): void => {
    view.note('The build is ended and its machine is taken down.');
    endRun(client, run.id).catch((error: Error) => view.note(`error: ${error.message}\nhint: Try again: paceline down ${run.id}`));
  };
  try {
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
    const found = await followRun({ client, run: run.id, view, logs, endsReady: () => false });
    signal?.throwIfAborted();
    const made = (await client.images.list()).find((one) => one.run === run.id);
    if (made !== undefined) return { image: made, isNew: true };
    throw new PacelineError(
      'PACELINE_RUN_ABORTED',
      `${deployment.name} was not built: ${found.abort?.reason ?? `the run is ${found.state}`}`,
      { hint: `paceline logs ${run.id.slice(0, 8)}` },
    );
  } finally {
    signal?.removeEventListener('abort', end);
    view.close();
  }
}
