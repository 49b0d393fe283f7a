import { randomUUID } from 'node:crypto';
import { createTemplateAction } from '@backstage/plugin-scaffolder-node';
import { catchUp, followWell } from '../follow.ts';
import type { Tasks } from '../tasks.ts';

const examples = [
  {
    description: 'Have four machines of the node `worker`',
    example: `steps:
  - action: paceline:scale
    input:
      run: \${{ parameters.run }}
      node: worker
      count: 4
`,
  },
];

/** `paceline:scale`: another number of machines of a node. Repeated after a crash of the back end, it scales once. */
export function scaleAction({ clientFor, begin }: Tasks) {
  return createTemplateAction({
    id: 'paceline:scale',
    description: 'Adds or removes machines of a node of a scalable run that is ready',
    supportsDryRun: true,
    examples,
    schema: {
      input: {
        run: (z) => z.string().describe('The id of a run, the beginning of one, or its name'),
        node: (z) => z.string(),
        count: (z) => z.number().int().min(0).describe('So many machines the node shall have'),
      },
      output: { instances: (z) => z.array(z.string()).describe('Those that were added or removed') },
    },
    async handler(ctx) {
      const { run, node, count } = ctx.input;
      const client = clientFor(ctx);
      if (ctx.isDryRun === true) {
        return ctx.logger.info(`${node} of ${(await client.runs.get(run)).name} would get ${count} machines`);
      }
      const { log, turn } = await begin(ctx);
      // A name may mean another run the next time.
      const { runId, id, after } = await ctx.checkpoint({
        key: `paceline.scale.${turn}`,
        fn: async () => {
          const found = await client.runs.get(run);
          return { runId: found.id, id: randomUUID(), after: found.lastEvent };
        },
      });
      const { instances, run: scaling } = await client.runs.scale(runId, { id, node, count });
      // A request that is repeated may find that all has been done.
      if (scaling.state === 'Ready' && scaling.scaling === null) await catchUp({ client, run: runId, log, after });
      else await followWell({ client, run: runId, log, signal: ctx.signal, until: 'ready', after });
      ctx.output('instances', instances);
    },
  });
}
