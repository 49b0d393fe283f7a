import { setTimeout as pause } from 'node:timers/promises';
import type { BuildAnswer, Client, ImageView } from '@paceline/api';
import { endRun } from '@paceline/door';
import { isPacelineError, PacelineError } from '@paceline/model';
import { createTemplateAction } from '@backstage/plugin-scaffolder-node';
import { followWell } from '../follow.ts';
import { beginOnce } from '../remembered.ts';
import type { TaskLog } from '../task-log.ts';
import type { Tasks } from '../tasks.ts';

const examples = [
  {
    description: 'Build the image of a published module for the machines of a project, unless it was built before',
    example: `steps:
  - action: paceline:build-image
    input:
      module: shop/web-image
      cloud: lab-openstack
      project: shop
`,
  },
];

/** How often it is asked whether somebody else's build has come to an end, in milliseconds, and how often at most. */
const askMs = 5000;
const mostAsked = 1440;

/**
 * `paceline:build-image`: builds an image, unless it is there. A build that is under way is joined; one of somebody else goes on
 * when this task is cancelled.
 */
export function buildImageAction({ clientFor, begin }: Tasks) {
  return createTemplateAction({
    id: 'paceline:build-image',
    description: 'Builds the image of a module on a cloud, unless it is there',
    supportsDryRun: true,
    examples,
    schema: {
      input: {
        module: (z) => z.string().describe('A published image: NAME, NAME@VERSION or NAME@sha256:DIGEST'),
        cloud: (z) => z.string().optional(),
        project: (z) => z.string().describe('Whose machines boot it; by default that of the configuration').optional(),
      },
      output: {
        image: (z) => z.string().describe('As the cloud names it'),
        digest: (z) => z.string().describe('Of what is in it'),
      },
    },
    async handler(ctx) {
      const { module: reference, cloud, project } = ctx.input;
      const client = clientFor(ctx);
      if (ctx.isDryRun === true) {
        const { deployment } = await client.modules.get(reference);
        return ctx.logger.info(`The image of ${deployment.name} would be built, unless it is there`);
      }
      const { log, turn } = await begin(ctx);
      const ask = async (version: string): Promise<BuildAnswer> => {
        const { deployment } = await client.modules.get(version);
        return client.images.build({
          deployment,
          ...(cloud === undefined ? {} : { cloud }),
          ...(project === undefined ? {} : { project }),
        });
      };
      const { begun, over } = await beginOnce(ctx, `paceline.build.${turn}`, async () => {
        const { module } = await client.modules.get(reference);
        // Somebody may publish or promote another version before the next attempt.
        const version = `${module.name}@${module.version}`;
        const { run, joined } = await ask(version);
        return { version, run: run?.id ?? null, joined };
      });
      const { version, run, joined } = begun;
      const building = { client, log, signal: ctx.signal };
      const made = await (run === null ? whenThere(() => ask(version), building) : follow(run, building)).catch(async (error: unknown) => {
        const wasCancelled = ctx.signal?.aborted === true;
        if (wasCancelled && run !== null && !joined) await endRun(client, run);
        if (wasCancelled || (isPacelineError(error) && error.code === 'PACELINE_RUN_ABORTED')) await over();
        throw error;
      });
      ctx.output('image', made.image);
      ctx.output('digest', made.digest);
    },
  });
}

interface Building {
  client: Client;
  log: TaskLog;
  signal: AbortSignal | undefined;
}

/** @throws PACELINE_RUN_ABORTED when the image was not built, the reason of the signal */
async function follow(run: string, { client, log, signal }: Building): Promise<ImageView> {
  const { name } = await followWell({ client, run, log, signal, until: 'ended' });
  const made = (await client.images.list()).find((image) => image.run === run);
  if (made === undefined) throw new PacelineError('PACELINE_RUN_ABORTED', `The run ${name} has ended without an image`);
  return made;
}

/** Waits for the build of somebody whose runs may not be seen; when it fails, the image is built after all. @throws as `follow` */
async function whenThere(ask: () => Promise<BuildAnswer>, { client, log, signal }: Building): Promise<ImageView> {
  for (let asked = 0; asked < mostAsked; asked++) {
    const { image, run } = await ask();
    if (image !== null) return image;
    if (run !== null) return follow(run.id, { client, log, signal });
    if (asked === 0) log.say('info', 'Somebody else builds this image already, with a run that is not yours to see');
    await pause(askMs, undefined, { ...(signal === undefined ? {} : { signal }) });
  }
  throw new PacelineError('PACELINE_TIMEOUT', 'Somebody else has been building this image for two hours', {
    hint: 'Ask whoever runs the Paceline server what became of it.',
  });
}
