import { createClient, type Client } from '@paceline/api';
import { diskFiles, loadModule, memoryFiles, type ResolvedDeployment } from '@paceline/model';
import type { ActionContext, TemplateAction } from '@backstage/plugin-scaffolder-node';
import { createMockActionContext } from '@backstage/plugin-scaffolder-node-test-utils';
import type { JsonObject, JsonValue } from '@backstage/types';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { repository, System } from '../../test/support/system.ts';
import { until } from '../../test/support/until.ts';
import { buildImageAction } from '../scaffolder/src/actions/build-image.ts';
import { runAction } from '../scaffolder/src/actions/run.ts';
import { scaleAction } from '../scaffolder/src/actions/scale.ts';
import { terminateAction } from '../scaffolder/src/actions/terminate.ts';
import { waitAction } from '../scaffolder/src/actions/wait.ts';
import { tasksOf, type PastOf, type Tasks } from '../scaffolder/src/tasks.ts';

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
  await client.modules.publish({ deployment: await counts() });
  await client.modules.publish({ deployment: await says('one', 'changing') });
});
afterAll(() => system?.close());

/** So often back ends die in the middle of a step: the goal is a hundred, and a few of them every time. */
const restarts = Number(process.env['RESTARTS'] ?? 6);

/** Somebody has to set the parameter, and nobody does. */
const waitsForEver = (): Promise<ResolvedDeployment> => ofOneScript('patient', { go: {} }, '#!/bin/sh\nss-get --timeout 600 go\n');

/** Prints one line after another until it is told to stop. */
const counts = (): Promise<ResolvedDeployment> =>
  ofOneScript(
    'counts',
    { stop: {}, last: { output: true } },
    '#!/bin/sh\nn=0\nuntil [ -n "$(ss-get --noblock stop)" ]; do n=$((n+1)); echo "line $n"; echo again; sleep 0.02; done\nss-set last $n\n',
  );

const says = (text: string, name: string): Promise<ResolvedDeployment> => ofOneScript(name, {}, `#!/bin/sh\necho ${text}\n`);

/** An image whose installation waits for a file. */
async function imageThatWaitsFor(file: string, name: string): Promise<ResolvedDeployment> {
  const spec = { scripts: { postInstall: `#!/bin/sh\nuntil [ -e '${file}' ]; do sleep 0.1; done\n` } };
  const text = JSON.stringify({ apiVersion: 'paceline.dev/v1', kind: 'Image', metadata: { name }, spec });
  return (await loadModule('/p/image.yaml', { fs: memoryFiles({ '/p/image.yaml': text }) })).deployment;
}

async function ofOneScript(name: string, parameters: object, deploy: string): Promise<ResolvedDeployment> {
  const module = (kind: string, name: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'paceline.dev/v1', kind, metadata: { name }, spec });
  const files = {
    '/p/image.yaml': module('Image', name, { parameters, scripts: { deploy } }),
    '/p/deployment.yaml': module('Deployment', name, { nodes: { one: { image: './image.yaml' } }, onStall: 'wait' }),
  };
  return (await loadModule('/p/deployment.yaml', { fs: memoryFiles(files) })).deployment;
}

/** What the back end keeps of a task, so that another one can go on with it. */
class Task {
  readonly #checkpoints = new Map<string, JsonValue | void>();
  readonly outputs: Record<string, unknown> = {};
  readonly stored: string[] = [];

  get log(): string[] {
    return this.stored.map((line) => line.replace(/^\w+: /, ''));
  }

  async execute<I extends JsonObject, O extends JsonObject>(
    action: TemplateAction<I, O>,
    input: I,
    more: Partial<ActionContext<I, O>> & { store?: (line: string) => void } = {},
  ): Promise<void> {
    const { store = (line) => void this.stored.push(line), ...context } = more;
    const note = (level: string) => (text: string) => store(`${level}: ${text}`);
    const logger = { info: note('info'), warn: note('warn'), error: note('error'), debug: note('debug'), child: () => logger };
    await action.handler({
      ...createMockActionContext<I, O>({ input, logger }),
      step: { id: 'a-step', name: 'A step' },
      // An attempt has one signal of its own.
      signal: new AbortController().signal,
      output: (name, value) => void (this.outputs[String(name)] = value),
      checkpoint: async ({ key, fn }) => {
        const known = this.#checkpoints.has(key) ? this.#checkpoints.get(key) : await fn();
        this.#checkpoints.set(key, known);
        return known as never;
      },
      ...context,
    });
  }
}

/** A back end that has just been started, and goes on with this task. */
function backEndFor(task: Task, speaking = client): Tasks {
  const pastOf: PastOf = async () => task.stored.map((message) => ({ body: { message, stepId: 'a-step' } }));
  return tasksOf(() => speaking, pastOf);
}
const tasks = tasksOf(
  () => client,
  async () => [],
);
const byNumber = (a: string, b: string): number => Number(/\d+$/.exec(a)?.[0]) - Number(/\d+$/.exec(b)?.[0]);
const runsNow = async (): Promise<string[]> => (await client.runs.list()).map(({ id }) => id);

/** A client whose requests get to the server, and the answers to some of them get lost. */
function losing(lost: (method: string, path: string) => boolean): Client {
  return createClient({
    url: system.url,
    token: system.token,
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      if (!lost(init?.method ?? 'GET', new URL(input instanceof Request ? input.url : input).pathname)) return answer;
      await answer.body?.cancel();
      throw new TypeError('fetch failed');
    },
  });
}

describe('paceline:run', () => {
  it('goes on with the version that it had begun, though another one was published before it was repeated', async () => {
    const task = new Task();
    await task.execute(runAction(backEndFor(task)), { deployment: 'changing', wait: false });
    const { runId } = task.outputs;
    await client.modules.publish({ deployment: await says('two', 'changing') });
    await task.execute(runAction(backEndFor(task)), { deployment: 'changing' });
    expect(task.outputs).toMatchObject({ runId, state: 'Ready' });
    expect(task.log.join('\n')).toContain('one.1 | one');
    await system.run(String(runId)).down();
  });

  it('starts one run, and says which before, when the answer to its request is lost', async () => {
    const before = await runsNow();
    let answers = 0;
    const task = new Task();
    const lossy = losing((method, path) => method === 'POST' && path === '/api/runs' && ++answers < 3);
    await task.execute(runAction(backEndFor(task, lossy)), { deployment: 'client-server', parameters: { clients: 1 }, wait: false });
    expect(answers).toBe(3);
    const fresh = (await runsNow()).filter((id) => !before.includes(id));
    expect(fresh).toEqual([task.outputs['runId']]);
    const deaf = new Task();
    const never = losing((method, path) => method === 'POST' && path === '/api/runs');
    const stop = new AbortController();
    const input = { deployment: 'client-server', parameters: { clients: 1 } };
    const failing = deaf.execute(runAction(backEndFor(deaf, never)), input, { signal: stop.signal }).catch(() => 'failed');
    await until(() => expect(deaf.log.join('\n')).toMatch(/^Run [0-9a-f-]{36} of client-server@/));
    const [id = ''] = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(deaf.log.join('\n')) ?? [];
    await until(() => client.runs.get(id));
    stop.abort();
    expect(await failing).toBe('failed');
    await system.run(id).reaches('Cancelled');
    for (const run of fresh) await system.run(run).down();
  });

  it('starts another run when the task is tried again after a run that has failed', async () => {
    const task = new Task();
    const runs = new Set<unknown>();
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(task.execute(runAction(backEndFor(task)), { deployment: 'scripts-fail' })).rejects.toMatchObject({
        code: 'PACELINE_RUN_ABORTED',
      });
      runs.add(task.outputs['runId']);
    }
    expect(runs.size).toBe(3);
  });

  it('says that the run goes on when the task can follow it no more', async () => {
    const task = new Task();
    const tired = createClient({
      url: system.url,
      token: system.token,
      fetch: async (input, init) => {
        const isNew = init?.method === 'POST' || (input as URL).pathname.startsWith('/api/modules');
        return fetch(input, isNew ? init : { ...init, headers: { authorization: 'Bearer out-of-date' } });
      },
    });
    await expect(task.execute(runAction(backEndFor(task, tired)), { deployment: 'patient' })).rejects.toMatchObject({
      code: 'PACELINE_UNAUTHENTICATED',
      message: expect.stringContaining('The run goes on without this task'),
      hint: expect.stringMatching(/\/paceline\/runs\/[0-9a-f-]{36}:/),
    });
    await system.run(String(task.outputs['runId'])).down();
  });

  it('goes on with its run when the back end has died in between, and starts no second one', async () => {
    const task = new Task();
    const input = { deployment: 'client-server', parameters: { clients: 1 }, wait: false };
    await task.execute(runAction(tasks), input);
    const before = await runsNow();
    const { runId } = task.outputs;
    await task.execute(runAction(tasks), { ...input, wait: true });
    expect(await runsNow()).toEqual(before);
    expect(task.outputs).toMatchObject({ runId, state: 'Ready', url: `/paceline/runs/${String(runId)}` });
    expect(task.outputs['serviceUrl']).toMatch(/^http:/);
    await task.execute(terminateAction(tasks), { run: String(runId) });
    expect(task.outputs['state']).toBe('Done');
    // Again, when it has ended already.
    await task.execute(terminateAction(tasks), { run: String(runId) });
    expect(task.outputs['state']).toBe('Done');
  });

  it(
    `keeps its run and resumes its log without gap or repeat when back ends die, ${restarts} of ${restarts} times`,
    { timeout: 60_000 + restarts * 5000 },
    async () => {
      const task = new Task();
      const input = { deployment: 'counts' };
      const before = (await runsNow()).length;
      for (let death = 1; death <= restarts; death++) {
        const end = new AbortController();
        const dying = createClient({ url: system.url, token: system.token, signal: end.signal });
        let left = 1 + ((death * 5) % 17);
        const store = (line: string): void => {
          if (end.signal.aborted) return;
          task.stored.push(line);
          if (--left > 0) return;
          end.abort();
          // What was on its way to the database at that moment has not come in the order in which it was sent.
          if (death % 3 === 0) task.stored.splice(-2, 1);
        };
        await expect(task.execute(runAction(backEndFor(task, dying)), input, { store })).rejects.toThrow(/./);
        expect(end.signal.aborted).toBe(true);
      }
      const run = String(task.outputs['runId']);
      await client.parameters.set(run, 'one.1:stop', 'now');
      await task.execute(runAction(backEndFor(task)), input);
      expect((await runsNow()).length).toBe(before + 1);
      expect(task.outputs['state']).toBe('Ready');
      const last = Number((await client.parameters.get(run, 'one.1:last')).value);
      const lines = Array.from({ length: last }, (_none, index) => `one.1 | line ${index + 1}`);
      expect(task.log.filter((line) => line.includes('| line ')).toSorted(byNumber)).toEqual(lines);
      expect(task.log.filter((line) => line.endsWith('| again'))).toHaveLength(last);
      const events = (await client.events(run)).filter(({ type }) => type === 'run.state').map(({ message }) => message);
      expect(task.log.filter((line) => events.includes(line)).toSorted()).toEqual(events.toSorted());
      await client.runs.terminate(run);
      await system.run(run).reaches('Done');
    },
  );

  it('has a run of its own for each turn of a step with `each`, also after a restart', async () => {
    const task = new Task();
    const turns = async (): Promise<unknown[]> => {
      const attempt = { signal: new AbortController().signal };
      const action = runAction(backEndFor(task));
      const ids: unknown[] = [];
      for (const name of ['one', 'other']) {
        await task.execute(action, { deployment: 'client-server', parameters: { clients: 1 }, name, wait: false }, attempt);
        ids.push(task.outputs['runId']);
      }
      return ids;
    };
    const ids = await turns();
    expect(new Set(ids).size).toBe(2);
    expect(await turns()).toEqual(ids);
    expect(task.log.filter((line) => line.startsWith('Run '))).toHaveLength(2);
    for (const id of ids) await task.execute(terminateAction(tasks), { run: String(id) });
  });

  it('fails with what the script said last', async () => {
    const task = new Task();
    await expect(task.execute(runAction(tasks), { deployment: 'scripts-fail' })).rejects.toMatchObject({
      code: 'PACELINE_RUN_ABORTED',
    });
    expect(task.log.join('\n')).toMatch(/ \| .*(cannot|fail|error)/i);
  });

  it('ends the run that it is bringing up when the task is cancelled', async () => {
    const task = new Task();
    const stop = new AbortController();
    const running = task.execute(runAction(tasks), { deployment: 'patient' }, { signal: stop.signal });
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
    await task.execute(runAction(tasks), { deployment: 'client-server@1' }, { isDryRun: true });
    expect(task.log).toEqual(['client-server@1 would be started, with the nodes web, client']);
    await expect(task.execute(runAction(tasks), { deployment: 'nothing' }, { isDryRun: true })).rejects.toMatchObject({
      code: 'PACELINE_NOT_FOUND',
    });
    expect(await runsNow()).toEqual(before);
  });
});

it('paceline:terminate and paceline:scale stay with the run that a name meant when they were begun', async () => {
  const start = async (): Promise<string> => {
    const task = new Task();
    await task.execute(runAction(tasks), { deployment: 'changing', name: 'alike', scalable: true });
    return String(task.outputs['runId']);
  };
  const first = await start();
  const [scaling, ending] = [new Task(), new Task()];
  const scale = { run: 'alike', node: 'one', count: 2 };
  const end = { run: 'alike', wait: true };
  // The back end dies when it has read what is to be done, and before it is done.
  const reading = createClient({
    url: system.url,
    token: system.token,
    fetch: async (input, init) => {
      if ((init?.method ?? 'GET') !== 'GET') throw new TypeError('fetch failed');
      return fetch(input, init);
    },
  });
  await expect(scaling.execute(scaleAction(backEndFor(scaling, reading)), scale)).rejects.toThrow(/./);
  await expect(ending.execute(terminateAction(backEndFor(ending, reading)), end)).rejects.toThrow(/./);
  const second = await start();
  await scaling.execute(scaleAction(backEndFor(scaling)), scale);
  expect((await client.runs.get(first)).instances).toHaveLength(2);
  await ending.execute(terminateAction(backEndFor(ending)), end);
  expect((await client.runs.get(first)).state).toBe('Done');
  expect(await client.runs.get(second)).toMatchObject({ state: 'Ready', outcome: null, instances: [{ name: 'one.1' }] });
  await system.run(second).down();
});

describe('paceline:build-image', () => {
  it('builds an image once, for the project that it is told, also when the back end dies over it', async () => {
    const file = join(system.folder, 'go-on');
    await client.modules.publish({ deployment: await imageThatWaitsFor(file, 'base') });
    const input = { module: 'base', cloud: 'local', project: 'shop' };
    const before = await runsNow();
    const task = new Task();
    const end = new AbortController();
    const dying = createClient({ url: system.url, token: system.token, signal: end.signal });
    const first = task.execute(buildImageAction(backEndFor(task, dying)), input).catch(() => 'dead');
    const builds = async (): Promise<string[]> => (await runsNow()).filter((id) => !before.includes(id));
    await until(async () => expect(await builds()).toHaveLength(1));
    await until(() => expect(task.log.length).toBeGreaterThan(0));
    end.abort();
    expect(await first).toBe('dead');
    const second = task.execute(buildImageAction(backEndFor(task)), input);

    // Somebody else wants the same, and then no more.
    const other = new Task();
    const stop = new AbortController();
    const joining = other.execute(buildImageAction(backEndFor(other)), input, { signal: stop.signal }).catch(() => 'cancelled');
    await until(() => expect(other.log.length).toBeGreaterThan(0));
    stop.abort();
    expect(await joining).toBe('cancelled');
    const [run = ''] = await builds();
    expect(await client.runs.get(run)).toMatchObject({ outcome: null, project: 'shop' });

    await writeFile(file, '');
    await second;
    const image = (await client.images.list()).find((one) => one.run === run);
    expect(image).toMatchObject({ project: 'shop', cloud: 'local' });
    expect(task.outputs).toEqual({ image: image?.image, digest: image?.digest });
    const late = new Task();
    await late.execute(buildImageAction(backEndFor(late)), input);
    expect(late.outputs).toEqual(task.outputs);
    expect(await builds()).toEqual([run]);
  });

  it('ends its build when the task is cancelled, and builds anew when it is tried again', async () => {
    const file = join(system.folder, 'not-yet');
    await client.modules.publish({ deployment: await imageThatWaitsFor(file, 'other-base') });
    const input = { module: 'other-base', cloud: 'local' };
    const task = new Task();
    const stop = new AbortController();
    const before = await runsNow();
    const cancelled = task.execute(buildImageAction(backEndFor(task)), input, { signal: stop.signal }).catch(() => 'cancelled');
    await until(() => expect(task.log.length).toBeGreaterThan(0));
    stop.abort();
    expect(await cancelled).toBe('cancelled');
    const [run = ''] = (await runsNow()).filter((id) => !before.includes(id));
    await system.run(run).reaches('Cancelled');
    await writeFile(file, '');
    await task.execute(buildImageAction(backEndFor(task)), input);
    expect((await client.images.list()).find(({ module }) => module === 'other-base')?.run).not.toBe(run);
  });
});

it('paceline:scale changes the machines once, and paceline:wait says when a run is ready', async () => {
  const task = new Task();
  await task.execute(runAction(tasks), { deployment: 'load-balanced', scalable: true, wait: false });
  const run = String(task.outputs['runId']);
  await task.execute(waitAction(tasks), { run });
  const { nodes, instances } = await client.runs.get(run);
  const node = nodes.map(({ name }) => name).find((name) => name !== 'balancer') ?? '';
  const count = instances.filter((instance) => instance.node === node).length + 1;
  const scaling = new Task();
  await scaling.execute(scaleAction(tasks), { run, node, count });
  expect(scaling.outputs['instances']).toEqual([`${node}.${count}`]);
  await scaling.execute(scaleAction(tasks), { run, node, count });
  const after = await client.runs.get(run);
  expect(after.state).toBe('Ready');
  expect(after.instances.filter((instance) => instance.node === node && !instance.dropped)).toHaveLength(count);
  await client.runs.terminate(run);
  await task.execute(waitAction(tasks), { run, until: 'ended' });
  await until(() => expect(task.outputs['state']).toBe('Done'));
});
