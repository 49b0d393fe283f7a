import { createTemplateAction } from '@backstage/plugin-scaffolder-node';
import { followWell, pageOf } from '../follow.ts';
import type { Tasks } from '../tasks.ts';

const examples = [
  {
    description: 'Wait until all machines of a run are gone',
    example: `steps:
  - action: paceline:wait
    input:
      run: \${{ steps.run.output.runId }}
      until: ended
`,
  },
];

/** `paceline:wait`: follows a run in the log of the task. */
export function waitAction({ clientFor, begin }: Tasks) {
  return createTemplateAction({
    id: 'paceline:wait',
    description: 'Waits until a run is ready, or has ended',
    supportsDryRun: true,
    examples,
    schema: {
      input: {
        run: (z) => z.string().describe('The id of a run, the beginning of one, or its name'),
        until: (z) => z.enum(['ready', 'ended']).describe('`ready` by default').optional(),
      },
      output: { state: (z) => z.string(), url: (z) => z.string(), serviceUrl: (z) => z.string() },
    },
    async handler(ctx) {
      const { run, until = 'ready' } = ctx.input;
      if (ctx.isDryRun === true) return ctx.logger.info(`The task would wait until ${run} ${until === 'ready' ? 'is ready' : 'has ended'}`);
      const { log } = await begin(ctx);
      const client = clientFor(ctx);
      const found = await followWell({ client, run, log, signal: ctx.signal, until });
      ctx.output('state', found.state);
      ctx.output('url', pageOf(found.id));
      ctx.output('serviceUrl', found.serviceUrl ?? '');
    },
  });
}
