import { endRun } from '@paceline/door';
import { createTemplateAction } from '@backstage/plugin-scaffolder-node';
import type { ClientFor } from '../clients.ts';
import { follow } from '../follow.ts';

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
export function terminateAction(clientFor: ClientFor) {
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
      const before = await client.runs.get(run);
      if (ctx.isDryRun === true) return ctx.logger.info(`${before.name} would be ended, which is ${before.state} now`);
      const ending = before.endedAt === null ? await endRun(client, before.id) : before;
      if (!wait || ending.endedAt !== null) return ctx.output('state', ending.state);
      const ended = await follow({
        client,
        run: ending.id,
        logger: ctx.logger,
        signal: ctx.signal,
        until: 'ended',
        after: before.lastEvent,
      });
      ctx.output('state', ended.state);
    },
  });
}
