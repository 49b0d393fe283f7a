import { randomUUID } from 'node:crypto';
import { endRun } from '@paceline/door';
import { isPacelineError, PacelineError } from '@paceline/model';
import { createTemplateAction } from '@backstage/plugin-scaffolder-node';
import { entityTag } from '@paceline/backstage-plugin-common';
import { followWell, pageOf } from '../follow.ts';
import { beginOnce } from '../remembered.ts';
import { isRefusal, startRun } from '../start-run.ts';
import type { Tasks } from '../tasks.ts';

const examples = [
  {
    description: 'Start the newest published version of a deployment, and wait until it is ready',
    example: `steps:
  - id: run
    action: paceline:run
    input:
      deployment: shop/web
      parameters:
        clients: \${{ parameters.clients }}
        web:password: \${{ secrets.password }}
      entity: component:default/shop
`,
  },
  {
    description: 'Start version 12 on a certain cloud, and go on with the task',
    example: `steps:
  - id: run
    action: paceline:run
    input:
      deployment: shop/web@12
      cloud: aws-paris
      wait: false
`,
  },
];

/**
 * `paceline:run`: starts a published deployment. Repeated after a crash of the back end, it goes on with the run that it had
 * started; repeated because that one has failed, it starts another.
 */
export function runAction({ clientFor, begin }: Tasks) {
  return createTemplateAction({
    id: 'paceline:run',
    description: 'Brings up a deployment that was published on the Paceline server',
    supportsDryRun: true,
    examples,
    schema: {
      input: {
        deployment: (z) => z.string().describe('A published module: NAME, NAME@VERSION or NAME@sha256:DIGEST'),
        parameters: (z) =>
          z
            .record(z.union([z.string(), z.number(), z.boolean()]))
            .describe('By NAME, or NODE:NAME; also NODE:multiplicity and NODE:cloud')
            .optional(),
        name: (z) => z.string().describe('A name for people; by default that of the deployment').optional(),
        cloud: (z) => z.string().describe('For every node that is not told otherwise').optional(),
        project: (z) => z.string().describe('Of the server; by default that of the configuration').optional(),
        keepRunning: (z) => z.enum(['always', 'on-success', 'on-error', 'never']).optional(),
        scalable: (z) => z.boolean().describe('Machines may be added and removed while it is ready').optional(),
        entity: (z) => z.string().describe('The catalog entity that it is of, such as component:default/shop').optional(),
        wait: (z) => z.boolean().describe('Wait until it is ready; true by default').optional(),
      },
      output: {
        runId: (z) => z.string(),
        state: (z) => z.string(),
        url: (z) => z.string().describe('Of the page of the run, in this Backstage'),
        serviceUrl: (z) => z.string().describe('What the deployment has set as ss:url.service; empty without one'),
      },
    },
    async handler(ctx) {
      const { deployment: reference, parameters = {}, name, cloud, project, keepRunning, scalable, entity, wait = true } = ctx.input;
      const client = clientFor(ctx);
      if (ctx.isDryRun === true) {
        const { module, deployment } = await client.modules.get(reference);
        const started = `${module.name}@${module.version}`;
        ctx.logger.info(`${started} would be started, with the nodes ${Object.keys(deployment.nodes).join(', ')}`);
        return;
      }
      const { log, turn } = await begin(ctx);
      // Kept before the request: repeated with the same id and of the same version, it starts no second run.
      const { begun, over } = await beginOnce(ctx, `paceline.run.${turn}`, async () => {
        const { module } = await client.modules.get(reference);
        return { id: randomUUID(), version: `${module.name}@${module.version}` };
      });
      const { id, version } = begun;
      const { deployment } = await client.modules.get(version);
      log.say('info', `Run ${id} of ${version}`);
      const request = {
        id,
        deployment,
        parameters: Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, String(value)])),
        tags: entity === undefined ? [] : [entityTag(entity)],
        ...(name === undefined ? {} : { name }),
        ...(cloud === undefined ? {} : { cloud }),
        ...(project === undefined ? {} : { project }),
        ...(keepRunning === undefined ? {} : { keepRunning }),
        ...(scalable === undefined ? {} : { scalable }),
      };
      const run = await startRun(client, request, ctx.signal).catch(async (error: unknown) => {
        if (isRefusal(error)) await over();
        // Its answer may have been lost.
        else if (ctx.signal?.aborted === true) await endRun(client, id);
        throw error;
      });
      ctx.output('runId', run.id);
      ctx.output('url', pageOf(run.id));
      const following = { client, run: run.id, log, signal: ctx.signal, until: 'ready' as const };
      const found = wait
        ? await followWell(following).catch(async (error: unknown) => {
            const wasCancelled = ctx.signal?.aborted === true;
            // Whoever cancels the task does not want what it was about to make.
            if (wasCancelled) await endRun(client, run.id);
            if (!wasCancelled && !hasFailed(error)) throw stillThere(error, run.id);
            await over();
            throw error;
          })
        : run;
      ctx.output('state', found.state);
      ctx.output('serviceUrl', found.serviceUrl ?? '');
    },
  });
}

function hasFailed(error: unknown): boolean {
  return isPacelineError(error) && error.code === 'PACELINE_RUN_ABORTED';
}

/** The task ends, such as when the token of its starter does, and the run does not. */
function stillThere(error: unknown, run: string): PacelineError {
  const message = error instanceof Error ? error.message : String(error);
  return new PacelineError(isPacelineError(error) ? error.code : 'PACELINE_INTERNAL', `${message}. The run goes on without this task`, {
    cause: error,
    hint: `Its page is ${pageOf(run)}: end it there if nobody needs it.`,
  });
}
