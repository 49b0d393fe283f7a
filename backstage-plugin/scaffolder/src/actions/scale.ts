import { randomUUID } from 'node:crypto';
import { createTemplateAction } from '@backstage/plugin-scaffolder-node';
import type { ClientFor } from '../clients.ts';
import { followWell } from '../follow.ts';

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
export function scaleAction(clientFor: ClientFor) {
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
      const { id: runId, name } = await client.runs.get(run);
      if (ctx.isDryRun === true) return ctx.logger.info(`${node} of ${name} would get ${count} machines`);
      const id = await ctx.checkpoint({ key: 'paceline.scale.id', fn: async () => randomUUID() as string });
      const { instances, run: scaling } = await client.runs.scale(runId, { id, node, count });
      const { lastEvent: after } = scaling;
      // A request that is repeated may find that all has been done.
      const isThere = scaling.state === 'Ready' && scaling.scaling === null;
      if (!isThere) await followWell({ client, run: runId, logger: ctx.logger, signal: ctx.signal, until: 'ready', after });
      ctx.output('instances', instances);
    },
  });
}
