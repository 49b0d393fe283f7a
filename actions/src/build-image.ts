import { info, setOutput } from '@actions/core';
import { buildImage, harmlessLine, type RunView } from '@paceline/door';
import { PacelineError } from '@paceline/model';
import { moduleFor, once } from './run/module.ts';
import { buildInputs } from './run/options.ts';
import { runStep, type Step } from './run/step.ts';
import { logView } from './runner/inert.ts';
import { newRunId } from './runner/job.ts';
import { connectionOf, openSession } from './session/session.ts';

/** Of several builds at once only the ends are told: their output would be one through the other. */
const quiet: RunView = { wantsDetails: false, detail() {}, event() {}, log() {}, note: info, close() {} };

/** Builds the image of a module, on several clouds side by side. */
async function main({ inputs, job, cancelled, output }: Step): Promise<void> {
  if (inputs.text('server') === undefined)
    throw new PacelineError('PACELINE_REQUEST_INVALID', "The input 'server' is missing", {
      hint: 'An engine in the job would forget the images when the job ends.',
    });
  const open = once(() => openSession({ ...connectionOf(inputs), job, run: newRunId(job) }));
  const deployment = await moduleFor(inputs.text('module') ?? '.', { inputs, job, open });
  const { client } = await open();
  const named = (inputs.text('cloud') ?? '').split(/[\s,]+/).filter((cloud) => cloud !== '');
  const clouds = named.length === 0 ? [undefined] : named;
  const single = clouds.length === 1;
  const builds = await Promise.allSettled(
    clouds.map(async (cloud) => {
      const { image, isNew } = await buildImage({
        client,
        deployment,
        cloud,
        project: inputs.text('project'),
        logs: single,
        signal: cancelled,
        show(run) {
          info(`Run ${run.id} builds ${deployment.name} on ${run.instances[0]?.cloud ?? ''}`);
          return single ? logView(output, process.env) : quiet;
        },
      });
      info(harmlessLine(`${image.cloud}: ${image.image}${isNew ? '' : ', which was built'}`));
      return { cloud: image.cloud, image: image.image, digest: image.digest, isNew };
    }),
  );
  const images = builds.flatMap((build) => (build.status === 'fulfilled' ? [build.value] : []));
  setOutput('images', JSON.stringify(images));
  setOutput('image', single ? (images[0]?.image ?? '') : '');
  setOutput('is-new', String(images.some(({ isNew }) => isNew)));
  const failed = builds.find((build) => build.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

await runStep(buildInputs, main);
