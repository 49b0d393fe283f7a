import { endRun } from '@paceline/door';
import { createTemplateAction } from '@backstage/plugin-scaffolder-node';
import { follow } from '../follow.ts';
import type { Tasks } from '../tasks.ts';

const examples = [
  {
    description: 'End a run, and wait until nothing of it is left',
    example: `steps:
  - action: paceline:terminate
    input:
      run: \${{ parameters.run }}
`,
  },
];

/** `paceline:terminate`: ends a run and its machines; one that has ended already is a success. */
export function terminateAction({ clientFor, begin }: Tasks) {
  return createTemplateAction({
    id: 'paceline:terminate',
    description: 'Ends a run and its machines',
    supportsDryRun: true,
    examples,
    schema: {
      input: {
        run: (z) => z.string().describe('The id of a run, the beginning of one, or its name'),
        wait: (z) => z.boolean().describe('Wait until its machines are gone; true by default').optional(),
      },
      output: { state: (z) => z.string() },
    },
    async handler(ctx) {
      const { run, wait = true } = ctx.input;
      const client = clientFor(ctx);
      if (ctx.isDryRun === true) {
        const { name, state } = await client.runs.get(run);
        return ctx.logger.info(`${name} would be ended, which is ${state} now`);
      }
      const { log, turn } = await begin(ctx);
      // A name may mean another run the next time.
      const before = await ctx.checkpoint({
        key: `paceline.terminate.${turn}`,
        fn: async () => {
          const { id, lastEvent, endedAt } = await client.runs.get(run);
          return { id, after: lastEvent, hadEnded: endedAt !== null };
        },
      });
      const found = await client.runs.get(before.id);
      const ending = found.endedAt === null ? await endRun(client, found.id) : found;
      if (!wait || before.hadEnded) return ctx.output('state', ending.state);
      const ended = await follow({ client, run: ending.id, log, signal: ctx.signal, until: 'ended', after: before.after });
      ctx.output('state', ended.state);
    },
  });
}
