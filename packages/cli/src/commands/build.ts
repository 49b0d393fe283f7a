import type { Client, ImageView } from '@paceline/api';
import { chooseClouds, followRun } from '@paceline/door';
import { PacelineError, type ResolvedDeployment } from '@paceline/model';
import { connectLater } from '../connection/connect-later.ts';
import { moduleToRun, namesPublished } from '../run/run-request.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { viewFor } from './up.ts';

export interface BuildOptions extends GlobalOptions {
  cloud: string[];
  clouds?: string;
  logs?: boolean;
  json?: boolean;
}

/** `paceline build`: the image of a module on each of the clouds, unless it is there. Clouds work side by side. */
export async function buildCommand([file = '.']: string[], options: BuildOptions, shell: Shell): Promise<number> {
  const connected = connectLater(options, shell, async () => {
    const beside = (await namesPublished(file, shell.cwd)) ? '.' : file;
    return { clouds: await chooseClouds(beside, options.clouds, shell.cwd) };
  });
  const deployment = await moduleToRun(file, shell, connected);
  const client = await connected();
  const clouds: (string | undefined)[] = options.cloud.length === 0 ? [undefined] : options.cloud;
  const builds = await Promise.allSettled(clouds.map((cloud) => build(client, deployment, cloud, options, shell)));
  for (const built of builds) {
    if (built.status === 'rejected') continue;
    const { image, isNew } = built.value;
    const { cloud, image: name, digest } = image;
    shell.stdout.write(
      options.json === true
        ? `${JSON.stringify({ type: 'image', isNew, image })}\n`
        : `${cloud}  ${name}  ${digest.slice(0, 12)}${isNew ? '' : '  (was built)'}\n`,
    );
  }
  const failed = builds.find((built) => built.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return 0;
}

async function build(
  client: Client,
  deployment: ResolvedDeployment,
  cloud: string | undefined,
  { logs = false, json = false }: BuildOptions,
  shell: Shell,
): Promise<{ image: ImageView; isNew: boolean }> {
  const request = { deployment, ...(cloud === undefined ? {} : { cloud }) };
  const { image, run } = await client.images.build(request);
  if (image !== null) return { image, isNew: false };
  if (run === null) throw new PacelineError('PACELINE_INTERNAL', 'The server neither has the image nor builds it');
  if (!json) say(shell, `Run ${run.id} builds ${deployment.name} on ${run.instances[0]?.cloud ?? ''}`);
  const view = viewFor(shell, json);
  try {
    const found = await followRun({ client, run: run.id, view, logs, endsReady: () => false });
    const made = (await client.images.list()).find((one) => one.run === run.id);
    if (made !== undefined) return { image: made, isNew: true };
    throw new PacelineError(
      'PACELINE_RUN_ABORTED',
      `${deployment.name} was not built: ${found.abort?.reason ?? `the run is ${found.state}`}`,
      {
        hint: `paceline logs ${run.id.slice(0, 8)}`,
      },
    );
  } finally {
    view.close();
  }
}
