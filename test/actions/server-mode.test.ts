import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFiles, loadModule } from '@paceline/model';
import { expect, it } from 'vitest';
import { repository } from '../support/system.ts';
import { until } from '../support/until.ts';
import { anotherRunner, bench, oneMachine, project } from './support/bench.ts';
import { serve } from './support/server.ts';

it('logs in by what the job is, without any secret, and leaves nothing', async () => {
  const set = await bench();
  const { github, cloud, runner } = set;
  const { url } = await serve(set);
  const inputs = { deployment: 'examples/client-server', server: url, clouds: 'clouds.yaml' };
  const { main, post } = await runner.job('deploy', { inputs });
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  expect(main.outputs).toMatchObject({ state: 'Ready', url });
  expect(main.log.annotations.map(({ message }) => message)).toContainEqual(expect.stringContaining('a server has clouds of its own'));
  expect(post.output).toContain('Nothing is left');
  // No process of the job's own has served it, and no token is kept or shown.
  expect(main.log.masks.filter((mask) => mask.startsWith('pls_')).length).toBe(1);
  expect(main.log.shown + JSON.stringify(main.state)).not.toMatch(/pls_\w/);
  expect(github.complaints).toEqual([]);
  await until(async () => cloud.expectEmpty(), 10_000);
});

it('is refused where no rule lets it in, with what the job is', async () => {
  const set = await bench();
  const { url } = await serve(set);
  set.github.claims = { ref: 'refs/heads/other' };
  const { main, post } = await set.runner.job('deploy', { inputs: { deployment: 'examples/client-server', server: url } });
  expect(main.code).toBe(1);
  expect(main.log.annotations.at(-1)?.message).toContain('No rule of this server lets this job in: repository octo/app');
  // Nothing can have been started by it.
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('No run was asked for');
});

it('a server that is down fails the step', async () => {
  const { runner } = await bench();
  const inputs = { deployment: 'examples/client-server', server: 'http://127.0.0.1:9' };
  const { main, post } = await runner.job('deploy', { inputs });
  expect(main.code).toBe(1);
  expect(main.log.annotations.at(-1)?.message).toContain('http://127.0.0.1:9 cannot be reached');
  expect(post.code, 'nothing was asked of it').toBe(0);
});

it('a server that dies while the step waits and is there again does not', async () => {
  const set = await bench();
  const { url, fallOver } = await serve(set);
  let again: Promise<void> | undefined;
  const { main, post } = await set.runner.job('deploy', {
    inputs: { deployment: 'examples/client-server', server: url },
    meanwhile: (output) => {
      if (output.includes('::group::Executing')) again ??= fallOver();
    },
  });
  await again;
  expect(again).toBeDefined();
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  await until(async () => set.cloud.expectEmpty(), 20_000);
});

it('a server that is away when the job ends is asked until it is there again', async () => {
  const set = await bench();
  const { runner } = set;
  const { url, fall, rise } = await serve(set);
  const inputs = { deployment: 'examples/client-server', server: url };
  const main = await runner.main('deploy', { inputs });
  expect(main.code, main.output).toBe(0);
  await fall();
  let again: Promise<void> | undefined;
  // The address of the server may come from somewhere that says nothing any more.
  const post = await runner.post('deploy', main, {
    inputs: { ...inputs, server: '' },
    meanwhile: (output) => {
      if (output.includes('It is asked again')) again ??= rise();
    },
  });
  await again;
  expect(again).toBeDefined();
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('Nothing is left');
  await until(async () => set.cloud.expectEmpty(), 20_000);
});

it('a server that dies when the machines have gone is asked what is left as soon as it is there again', async () => {
  const set = await bench();
  const { runner } = set;
  const { url, fallOver } = await serve(set);
  const inputs = { deployment: 'examples/client-server', server: url };
  const main = await runner.main('deploy', { inputs });
  expect(main.code, main.output).toBe(0);
  let again: Promise<void> | undefined;
  const post = await runner.post('deploy', main, {
    inputs,
    meanwhile: (output) => {
      if (/machine \S+ gone/.test(output)) again ??= fallOver();
    },
  });
  await again;
  expect(again).toBeDefined();
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('Nothing is left');
  await until(async () => set.cloud.expectEmpty(), 20_000);
});

it('a server that is away for a moment while a parameter is waited for fails nothing', async () => {
  const set = await bench();
  const { runner } = set;
  const { url, client, fallOver } = await serve(set);
  await project(runner, oneMachine('#!/bin/sh\n', { parameters: { answer: { output: true } } }));
  let again: Promise<unknown> | undefined;
  const { main, post } = await runner.job('deploy', {
    inputs: { server: url, 'wait-for': 'answer=42' },
    meanwhile: (output) => {
      const [, run] = /Run (\S+) of/.exec(output) ?? [];
      if (run !== undefined && output.includes('waiting for answer=42'))
        again ??= fallOver().then(() => client.parameters.set(run, 'ss:answer', '42'));
    },
  });
  await again;
  expect(again).toBeDefined();
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  expect(main.outputs['answer']).toBe('42');
  await until(async () => set.cloud.expectEmpty(), 20_000);
});

it('what a lost runner has left on a server is ended by a scheduled reap, as the deployer that the job is', async () => {
  const set = await bench();
  const { github, runner } = set;
  const { url, client } = await serve(set);
  const inputs = { deployment: 'examples/client-server', server: url };
  const lost = await runner.main('deploy', { inputs });
  expect(lost.code, lost.output).toBe(0);
  const stays = await runner.main('deploy', { inputs: { ...inputs, 'keep-running': 'on-success' } });
  expect(stays.code, stays.output).toBe(0);
  runner.killOrphans();
  github.workflowRuns.set(16_000_000_001, 'in_progress');
  const scheduled = await anotherRunner(set, { GITHUB_RUN_ID: '16000000003' });
  const reap = (more: object = {}) => scheduled.main('reap', { inputs: { server: url, ...more } });
  const early = await reap();
  expect([early.code, early.outputs], early.output).toEqual([0, { found: '2', removed: '0' }]);
  github.workflowRuns.set(16_000_000_001, 'completed');
  const shown = await reap({ 'dry-run': 'true' });
  expect([shown.code, shown.outputs], shown.output).toEqual([0, { found: '2', removed: '0' }]);
  expect(shown.summary).toContain('would be ended');
  const ended = await reap();
  expect([ended.code, ended.outputs], ended.output).toEqual([0, { found: '2', removed: '1' }]);
  expect(ended.output).toContain(`run ${lost.outputs['run']} on the server, run ${lost.outputs['run']}: ended`);
  expect(ended.output).toContain('left alone: keep-running may have left it on purpose');
  expect(ended.output).toContain('shown to its operators alone');
  expect((await client.runs.list({ active: true })).map(({ id }) => id)).toEqual([stays.outputs['run']]);
  expect((await reap({ kept: 'true' })).outputs).toEqual({ found: '1', removed: '1' });
  await until(async () => set.cloud.expectEmpty(), 20_000);
});

it('builds an image on several clouds at once, and again only where it is not yet', async () => {
  const set = await bench();
  const { cloud, runner } = set;
  const file = join(cloud.root, '../several.yaml');
  const local = (name: string): object => ({ connector: 'local', root: join(cloud.root, '..', name) });
  await writeFile(file, JSON.stringify({ clouds: { one: local('one'), other: local('other'), third: local('third') } }));
  const { url } = await serve(set, 'operator', file);
  const inputs = { module: 'examples/load-balanced/web', server: url };
  const built = async (clouds: string): Promise<unknown> => {
    const { code, output, outputs } = await runner.main('build-image', { inputs: { ...inputs, cloud: clouds } });
    expect(code, output).toBe(0);
    return [outputs['is-new'], ...(JSON.parse(outputs['images'] ?? '') as object[])];
  };
  expect(await built('one, other')).toMatchObject(['true', { cloud: 'one', isNew: true }, { cloud: 'other', isNew: true }]);
  expect(await built('third other')).toMatchObject(['true', { cloud: 'third', isNew: true }, { cloud: 'other', isNew: false }]);
  expect(await built('one,other,third')).toMatchObject(['false', { isNew: false }, { isNew: false }, { isNew: false }]);
});

it('builds an image once for all later jobs', async () => {
  const set = await bench();
  const { cloud, runner } = set;
  const { url } = await serve(set, 'operator');
  const inputs = { module: 'examples/load-balanced/web', server: url };
  const first = await runner.main('build-image', { inputs });
  expect(first.code, first.output).toBe(0);
  expect(first.outputs).toMatchObject({ 'is-new': 'true', image: expect.stringMatching(/^paceline-/) });
  expect(first.log.groups).toContain('Executing');
  const again = await runner.main('build-image', { inputs });
  expect([again.code, again.outputs], again.output).toEqual([0, { ...first.outputs, 'is-new': 'false', images: expect.any(String) }]);
  expect(JSON.parse(again.outputs['images'] ?? '')).toMatchObject([{ image: first.outputs['image'], isNew: false }]);
  expect((await cloud.listing()).filter(({ kind }) => kind === 'machine')).toEqual([]);
  const wrong = await runner.main('build-image', { inputs: { ...inputs, cloud: 'nowhere' } });
  expect([wrong.code, wrong.log.annotations.at(-1)?.message]).toEqual([1, expect.stringContaining('nowhere')]);
  const alone = await runner.main('build-image', { inputs: { module: inputs.module } });
  expect([alone.code, alone.log.annotations.at(-1)?.message]).toEqual([1, expect.stringContaining("The input 'server' is missing")]);
});

it('ends what builds an image when the job is cancelled', async () => {
  const set = await bench();
  const { cloud, runner } = set;
  const { url } = await serve(set, 'operator');
  await project(runner, {
    'slow.yaml': { kind: 'Image', spec: { scripts: { postInstall: 'slow.sh' } } },
    'slow.sh': '#!/bin/sh\nexec sleep 1000\n',
  });
  const main = await runner.main('build-image', {
    inputs: { module: 'slow.yaml', server: url },
    meanwhile: (output, step) => output.includes('Post-install of slow started') && step.cancel(),
  });
  expect(main.code, main.output).toBe(1);
  await until(async () => cloud.expectEmpty(), 20_000);
});

it('deploys what is published on the server, and says where there is none', async () => {
  const set = await bench();
  const { cloud, runner } = set;
  const { url, client } = await serve(set, 'operator');
  const { deployment } = await loadModule('examples/client-server', { fs: diskFiles(), cwd: repository });
  await client.modules.publish({ deployment, name: 'demo/pair' });
  const { main, post } = await runner.job('deploy', { inputs: { deployment: 'demo/pair@1', server: url } });
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  expect(main.outputs).toMatchObject({ state: 'Ready' });
  const missing = await runner.job('deploy', { inputs: { deployment: 'demo/pair@2', server: url } });
  expect([missing.main.code, missing.main.log.annotations.at(-1)?.message]).toEqual([
    1,
    expect.stringContaining('There is no published module demo/pair@2'),
  ]);
  const alone = await runner.job('deploy', { inputs: { deployment: 'demo/pair@1', clouds: cloud.file } });
  expect([alone.main.code, alone.main.log.annotations.at(-1)?.message]).toEqual([
    1,
    expect.stringContaining('There is no server to ask for published modules'),
  ]);
  await until(async () => cloud.expectEmpty(), 10_000);
});
