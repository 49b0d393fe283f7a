import { createClient, type Client } from '@paceline/api';
import { diskFiles, loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import type { ActionContext, TemplateAction } from '@backstage/plugin-scaffolder-node';
import { createMockActionContext } from '@backstage/plugin-scaffolder-node-test-utils';
import type { JsonObject, JsonValue } from '@backstage/types';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { repository, System } from '../../test/support/system.ts';
import { until } from '../../test/support/until.ts';
import { runAction } from '../scaffolder/src/actions/run.ts';
import { scaleAction } from '../scaffolder/src/actions/scale.ts';
import { terminateAction } from '../scaffolder/src/actions/terminate.ts';
import { waitAction } from '../scaffolder/src/actions/wait.ts';

let system: System;
let client: Client;
beforeAll(async () => {
  system = await System.start();
  client = createClient({ url: system.url, token: system.token });
  for (const name of ['client-server', 'load-balanced', 'scripts-fail']) {
    const { deployment } = await loadModule(`examples/${name}`, { fs: diskFiles(), cwd: repository });
    await client.modules.publish({ deployment });
  }
  await client.modules.publish({ deployment: await waitsForEver() });
});
afterAll(() => system?.close());

/** Somebody has to set the parameter, and nobody does. */
async function waitsForEver(): Promise<ResolvedDeployment> {
  const module = (kind: string, name: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name }, spec });
  const files = {
    '/p/image.yaml': module('Image', 'patient', { parameters: { go: {} }, scripts: { deploy: '#!/bin/sh\nss-get --timeout 600 go\n' } }),
    '/p/deployment.yaml': module('Deployment', 'patient', { nodes: { one: { image: './image.yaml' } }, onStall: 'wait' }),
  };
  return (await loadModule('/p/deployment.yaml', { fs: memoryFiles(files) })).deployment;
}

/** What the back end keeps of a task, so that another one can go on with it. */
class Task {
  readonly #checkpoints = new Map<string, JsonValue | void>();
  readonly outputs: Record<string, unknown> = {};
  readonly log: string[] = [];

  async execute<I extends JsonObject, O extends JsonObject>(
    action: TemplateAction<I, O>,
    input: I,
    more: Partial<ActionContext<I, O>> = {},
  ): Promise<void> {
    const note = (text: string): void => void this.log.push(text);
    const logger = { info: note, warn: note, error: note, debug: note, child: () => logger };
    const context: ActionContext<I, O> = {
      ...createMockActionContext<I, O>({ input, logger }),
      output: (name, value) => void (this.outputs[String(name)] = value),
      checkpoint: async ({ key, fn }) => {
        const known = this.#checkpoints.has(key) ? this.#checkpoints.get(key) : await fn();
        this.#checkpoints.set(key, known);
        return known as never;
      },
      ...more,
    };
    await action.handler(context);
  }
}
const clientFor = (): Client => client;
const runsNow = async (): Promise<string[]> => (await client.runs.list()).map(({ id }) => id);

describe('paceline:run', () => {
  it('goes on with its run when the back end has died in between, and starts no second one', async () => {
    const task = new Task();
    const input = { deployment: 'client-server', parameters: { clients: 1 }, wait: false };
    await task.execute(runAction(clientFor), input);
    const before = await runsNow();
    const { runId } = task.outputs;
    await task.execute(runAction(clientFor), { ...input, wait: true });
    expect(await runsNow()).toEqual(before);
    expect(task.outputs).toMatchObject({ runId, state: 'Ready', url: `/paceline/runs/${String(runId)}` });
    expect(task.outputs['serviceUrl']).toMatch(/^http:/);
    await task.execute(terminateAction(clientFor), { run: String(runId) });
    expect(task.outputs['state']).toBe('Done');
    // Again, when it has ended already.
    await task.execute(terminateAction(clientFor), { run: String(runId) });
    expect(task.outputs['state']).toBe('Done');
  });

  it('fails with what the script said last', async () => {
    const task = new Task();
    await expect(task.execute(runAction(clientFor), { deployment: 'scripts-fail' })).rejects.toMatchObject({
      code: 'PACELINE_RUN_ABORTED',
    });
    expect(task.log.join('\n')).toMatch(/ \| .*(cannot|fail|error)/i);
  });

  it('ends the run that it is bringing up when the task is cancelled', async () => {
    const task = new Task();
    const stop = new AbortController();
    const running = task.execute(runAction(clientFor), { deployment: 'patient' }, { signal: stop.signal });
    const outcome = running.then(
      () => 'completed',
      () => 'cancelled',
    );
    await vi.waitFor(() => expect(task.outputs['runId']).toBeDefined());
    stop.abort();
    expect(await outcome).toBe('cancelled');
    await system.run(String(task.outputs['runId'])).reaches('Cancelled');
  });

  it('says what it would do in a dry run, and knows when there is no such deployment', async () => {
    const before = await runsNow();
    const task = new Task();
    await task.execute(runAction(clientFor), { deployment: 'client-server@1' }, { isDryRun: true });
    expect(task.log).toEqual(['client-server@1 would be started, with the nodes web, client']);
    await expect(task.execute(runAction(clientFor), { deployment: 'nothing' }, { isDryRun: true })).rejects.toMatchObject({
      code: 'PACELINE_NOT_FOUND',
    });
    expect(await runsNow()).toEqual(before);
  });
});

it('paceline:scale changes the machines once, and paceline:wait says when a run is ready', async () => {
  const task = new Task();
  await task.execute(runAction(clientFor), { deployment: 'load-balanced', scalable: true, wait: false });
  const run = String(task.outputs['runId']);
  await task.execute(waitAction(clientFor), { run });
  const { nodes, instances } = await client.runs.get(run);
  const node = nodes.map(({ name }) => name).find((name) => name !== 'balancer') ?? '';
  const count = instances.filter((instance) => instance.node === node).length + 1;
  const scaling = new Task();
  await scaling.execute(scaleAction(clientFor), { run, node, count });
  expect(scaling.outputs['instances']).toEqual([`${node}.${count}`]);
  await scaling.execute(scaleAction(clientFor), { run, node, count });
  const after = await client.runs.get(run);
  expect(after.state).toBe('Ready');
  expect(after.instances.filter((instance) => instance.node === node && !instance.dropped)).toHaveLength(count);
  await client.runs.terminate(run);
  await task.execute(waitAction(clientFor), { run, until: 'ended' });
  await until(() => expect(task.outputs['state']).toBe('Done'));
});
