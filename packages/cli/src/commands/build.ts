import type { RunDetail } from '@paceline/api';
import { buildImage, chooseClouds, harmlessLine, namesPublished, padTo, widthOf, type RunView } from '@paceline/door';
import { connectLater } from '../connection/connect-later.ts';
import { exitCodes } from '../run/exit-code.ts';
import { listenForInterrupts } from '../run/interrupts.ts';
import { moduleToRun } from '../run/run-request.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { jsonView } from '../view/json-view.ts';
import { plainView } from '../view/plain-view.ts';
import { viewFor } from './up.ts';

export interface BuildOptions extends GlobalOptions {
  cloud: string[];
  clouds?: string;
  project?: string;
  logs?: boolean;
  json?: boolean;
}

/** `paceline build`: the image of a module on each of the clouds, unless it is there. Clouds work side by side. Ctrl-C takes all of it down. */
export async function buildCommand([file = '.']: string[], options: BuildOptions, shell: Shell): Promise<number> {
  const connected = connectLater(options, shell, async () => {
    const beside = (await namesPublished(file, shell.cwd)) ? '.' : file;
    return { clouds: await chooseClouds(beside, options.clouds, shell.cwd) };
  });
  const deployment = await moduleToRun(file, shell, connected);
  const client = await connected();
  const json = options.json === true;
  const clouds: (string | undefined)[] = options.cloud.length === 0 ? [undefined] : [...new Set(options.cloud)];
  const widest = Math.max(...options.cloud.map(widthOf));
  const show = (run: RunDetail): RunView => {
    const cloud = harmlessLine(run.instances[0]?.cloud ?? '');
    if (!json) say(shell, `Run ${run.id} builds ${deployment.name} on ${cloud}`);
    if (clouds.length === 1) return viewFor(shell, json);
    // Two that draw on one terminal would draw over each other.
    return json ? jsonView(shell, { cloud }) : plainView(shell, padTo(cloud, widest));
  };
  const stop = new AbortController();
  const interrupts = listenForInterrupts(
    () => stop.abort(),
    () => {
      say(shell, 'Left before the end: see `paceline list --active`, and end what is there with `paceline down`.');
      process.exit(exitCodes.cancelled);
    },
  );
  const builds = await Promise.allSettled(
    clouds.map((cloud) => {
      const { project } = options;
      return buildImage({ client, deployment, cloud, project, show, logs: options.logs === true, signal: stop.signal });
    }),
  );
  interrupts.stop();
  for (const built of builds) {
    if (built.status === 'rejected') continue;
    const { image, isNew } = built.value;
    const { cloud, image: name, digest } = image;
    shell.stdout.write(
      json
        ? `${JSON.stringify({ type: 'image', isNew, image })}\n`
        : `${cloud}  ${name}  ${digest.slice(0, 12)}${isNew ? '' : '  (was built)'}\n`,
    );
  }
  if (interrupts.asked) return exitCodes.cancelled;
  const failed = builds.find((built) => built.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return 0;
}
