import { PacelineError } from '@paceline/model';
import { createTemplateAction } from '@backstage/plugin-scaffolder-node';
import { followWell } from '../follow.ts';
import type { Tasks } from '../tasks.ts';

const examples = [
  {
    description: 'Build the image of a published module, unless it was built before',
    example: `steps:
  - action: paceline:build-image
    input:
      module: shop/web-image
      cloud: lab-openstack
`,
  },
];

/** `paceline:build-image`: the same content is never built twice, so it may be repeated. */
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
      },
      output: {
        image: (z) => z.string().describe('As the cloud names it'),
        digest: (z) => z.string().describe('Of what is in it'),
      },
    },
    async handler(ctx) {
      const { module: reference, cloud } = ctx.input;
      const client = clientFor(ctx);
      const { deployment } = await client.modules.get(reference);
      if (ctx.isDryRun === true) return ctx.logger.info(`The image of ${deployment.name} would be built, unless it is there`);
      const { log, turn } = await begin(ctx);
      const begun = await ctx.checkpoint({
        key: `paceline.build.${turn}`,
        fn: async () => {
          const { image, run } = await client.images.build({ deployment, ...(cloud === undefined ? {} : { cloud }) });
          return { run: run?.id ?? null, image: image === null ? null : { image: image.image, digest: image.digest } };
        },
      });
      const { image, run } = begun;
      if (image === null && run === null) throw new PacelineError('PACELINE_INTERNAL', 'The server neither has the image nor builds it');
      if (run !== null) await followWell({ client, run, log, signal: ctx.signal, until: 'ended' });
      const made = image ?? (await client.images.list()).find((one) => one.run === run);
      if (made === undefined) throw new PacelineError('PACELINE_RUN_ABORTED', `${deployment.name} was not built`);
      ctx.output('image', made.image);
      ctx.output('digest', made.digest);
    },
  });
}
