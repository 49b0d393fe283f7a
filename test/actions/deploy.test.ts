import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { anotherRunner, bench, oneMachine, project } from './support/bench.ts';

it('brings a system up for the steps that follow, and takes it down after the job', async () => {
  const { github, cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', parameters: 'clients=2', clouds: cloud.file };
  let between = 0;
  const { main, post } = await runner.job('deploy', {
    inputs,
    between: async () => {
      between = (await cloud.listing()).filter(({ kind }) => kind === 'machine').length;
    },
  });
  expect(main.code, main.output).toBe(0);
  expect(main.outputs).toMatchObject({ state: 'Ready', run: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  const places = Object.fromEntries(['web.1', 'client.1', 'client.2'].map((name) => [`${name}:hostname`, expect.stringMatching(/^127\./)]));
  expect(JSON.parse(main.outputs['parameters'] ?? '')).toEqual({ ...places, 'web.1:ready': 'true' });
  expect(main.log.groups).toEqual(['Provisioning', 'Executing', 'SendingReports', 'Ready']);
  expect(main.summary).toContain('| web.1 | done |');
  expect(main.summary).toContain('```mermaid\ngantt');
  expect(between).toBe(3);
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('Nothing is left: the listing of the cloud shows nothing of this run.');
  expect(post.summary).toContain('Nothing is left');
  // Processes of this host have no price.
  for (const { summary } of [main, post]) expect(summary).toMatch(/machines, .* of machine time. Estimated cost: unknown\./);
  expect([...github.artifacts.keys()]).toEqual([`paceline-reports-${main.outputs['run']?.slice(-8)}`]);
  expect(github.complaints).toEqual([]);
  await cloud.expectEmpty();
});

it('needs no file of clouds', async () => {
  const { runner } = await bench();
  const { main, post } = await runner.job('deploy', { inputs: { deployment: 'examples/client-server' } });
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  expect(post.output).toContain('Nothing is left');
});

it('gives each global as an output of its own, whatever is in it, and never a secret', async () => {
  const { cloud, runner } = await bench();
  const parameters = { result: { output: true }, reports: { output: true }, key: { type: 'password', output: true } };
  const script = `#!/bin/sh
printf 'one\\n::set-output name=run::evil\\nEOF\\n' >text
ss-set ss:result "$(cat text)"; ss-set ss:reports mine; ss-set ss:key hush-hush-hush
`;
  await project(runner, oneMachine(script, { parameters }));
  const { main, post } = await runner.job('deploy', { inputs: { clouds: cloud.file } });
  expect(main.code, main.output).toBe(0);
  expect(main.outputs).toMatchObject({ result: 'one\n::set-output name=run::evil\nEOF', state: 'Ready' });
  // A name that the action has given away already is found among all of them.
  expect(main.outputs['reports']).toBe(join(runner.workspace, 'paceline-reports'));
  expect(JSON.parse(main.outputs['parameters'] ?? '')).toMatchObject({ 'ss:reports': 'mine' });
  expect(JSON.stringify(main) + JSON.stringify(post)).not.toContain('hush-hush-hush');
  await cloud.expectEmpty();
});

it('waits for a value of a parameter, and says so when it does not come', async () => {
  const { cloud, runner } = await bench();
  const script = '#!/bin/sh\n(while ! [ -e go ]; do sleep 0.1; done; ss-set ss:answer 42) >/dev/null 2>&1 &\ntouch go\n';
  await project(runner, oneMachine(script, { parameters: { answer: { output: true } } }));
  const inputs = { clouds: cloud.file, 'wait-for': 'answer=42' };
  const { main } = await runner.job('deploy', { inputs });
  expect(main.code, main.output).toBe(0);
  expect(main.outputs['answer']).toBe('42');
  const never = await runner.job('deploy', { inputs: { ...inputs, 'wait-for': 'answer=43', timeout: '1s' } });
  expect(never.main.code).toBe(1);
  expect(never.main.log.annotations.at(-1)?.message).toContain("ss:answer has not got the value '43' within 1 s");
  expect(never.main.outputs).toMatchObject({ run: expect.stringMatching(/^[0-9a-f-]{36}$/), state: 'Ready', answer: '42' });
  expect(never.main.summary).toContain('| web.1 | done |');
  expect(never.post.code, never.post.output).toBe(0);
  await cloud.expectEmpty();
});

it('tells a pull request and an environment, where that is asked for', async () => {
  const { github, cloud, runner } = await bench();
  const event = join(runner.temp, 'event.json');
  await writeFile(event, JSON.stringify({ pull_request: { number: 7, head: { repo: { full_name: 'octo/app' } } } }));
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, comment: 'true', environment: 'review' };
  const env = { GITHUB_EVENT_PATH: event };
  const { main } = await runner.job('deploy', { inputs, env });
  expect(main.code, main.output).toBe(0);
  expect(github.deployments).toEqual([{ environment: 'review', ref: 'a'.repeat(40) }]);
  expect(github.statuses.map(({ state }) => state)).toEqual(['in_progress', 'success', 'inactive']);
  expect(github.statuses[1]?.environment_url).toMatch(/^http:\/\/127\..*:8080\/$/);
  await runner.job('deploy', { inputs, env });
  expect(github.comments).toHaveLength(1);
  expect(github.comments[0]?.body).toContain('Nothing is left');
  expect(github.complaints).toEqual([]);
});

it('serves the machines while other steps run, though its engine is killed and the file of clouds is gone', async () => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file };
  const { main, post } = await runner.job('deploy', {
    inputs,
    between: async ({ outputs }) => {
      const record = join(runner.temp, 'paceline', outputs['run'] ?? '', 'engine.json');
      const { pid } = JSON.parse(await readFile(record, 'utf8')) as { pid: number };
      // As the checkout of something else does, in a later step.
      await rm(cloud.file);
      process.kill(pid, 'SIGKILL');
      await until(() => expect(() => process.kill(pid, 0)).toThrow());
    },
  });
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  await cloud.expectEmpty();
});

it('scales a run that is ready', async () => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, scalable: 'true' };
  const machines = async (): Promise<number> => (await cloud.listing()).filter(({ kind }) => kind === 'machine').length;
  const { main, post } = await runner.job('deploy', {
    inputs,
    between: async ({ outputs }) => {
      const scale = (change: string) => runner.main('scale', { inputs: { run: outputs['run'] ?? '', node: 'client', change } });
      const more = await scale('+2');
      expect(more.code, more.output).toBe(0);
      expect(more.outputs['instances']).toBe('["client.3","client.4"]');
      expect(await machines()).toBe(5);
      const fewer = await scale('=1');
      expect(fewer.code, fewer.output).toBe(0);
      expect(await machines()).toBe(2);
    },
  });
  expect([main.code, post.code], post.output).toEqual([0, 0]);
  await cloud.expectEmpty();
});

it('ends a run before its job does', async () => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file };
  const { main, post } = await runner.job('deploy', {
    inputs,
    between: async ({ outputs }) => {
      const ended = await runner.main('terminate', { inputs: { run: outputs['run'] ?? '' } });
      expect(ended.code, ended.output).toBe(0);
      expect(ended.outputs['state']).toBe('Done');
      await cloud.expectEmpty();
    },
  });
  expect([main.code, post.code], post.output).toEqual([0, 0]);
  const unknown = await runner.main('terminate', { inputs: { run: '0003b9ac-a001-8001-a4cf-3b459e549887' } });
  expect(unknown.code).toBe(1);
  expect(unknown.log.annotations[0]?.message).toContain('This job has started no run');
});

it('keeps the machines when it is told to, and a scheduled reap leaves these alone unless it is told not to', async () => {
  const { github, cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, 'keep-running': 'on-success' };
  const { main, post } = await runner.job('deploy', { inputs });
  expect([main.code, post.code], post.output).toEqual([0, 0]);
  expect(post.output).toContain('The machines are kept: keep-running is on-success, and the run is ready');
  github.workflowRuns.set(16_000_000_001, 'completed');
  const next = await anotherRunner({ github, cloud, runner }, { GITHUB_RUN_ID: '16000000002' });
  const reap = (more: object = {}) => next.main('reap', { inputs: { clouds: cloud.file, ...more } });
  const spared = await reap();
  expect(spared.output).toContain('left alone: keep-running may have left it on purpose');
  expect((await cloud.listing()).filter(({ kind }) => kind === 'machine')).toHaveLength(3);
  const removed = await reap({ kept: 'true' });
  expect(removed.code, removed.output).toBe(0);
  await cloud.expectEmpty(10_000);
});

it('runs a command in between, all in one step', async () => {
  const { cloud, runner } = await bench();
  await mkdir(join(runner.workspace, 'out'));
  const command = 'echo "$PACELINE_PARAMETERS" >parameters.json\ncurl -fsS "$PACELINE_SERVICE_URL" >page\n';
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, command, 'working-directory': 'out' };
  const main = await runner.main('run', { inputs });
  expect(main.code, main.output).toBe(0);
  expect(JSON.parse(await readFile(join(runner.workspace, 'out/parameters.json'), 'utf8'))).toMatchObject({ 'web.1:ready': 'true' });
  expect(await readFile(join(runner.workspace, 'out/page'), 'utf8')).toContain('Hello');
  await cloud.expectEmpty();
  const post = await runner.post('run', main, { inputs });
  expect([post.code, post.summary]).toEqual([0, '']);
  const failed = await runner.job('run', { inputs: { ...inputs, command: 'false | true\nexit 3' } });
  expect(failed.main.code).toBe(1);
  expect(failed.main.log.annotations.at(-1)?.message).toContain('The command has failed: exit code 1');
  await cloud.expectEmpty();
});

it('keeps the machines of a command that fails, when it is told to keep them on errors', async () => {
  const { github, cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, command: 'exit 3', 'keep-running': 'on-error' };
  const { main, post } = await runner.job('run', { inputs });
  expect([main.code, post.code], main.output + post.output).toEqual([1, 0]);
  expect(main.output).toContain('The machines are kept: keep-running is on-error, and the step has failed');
  expect((await cloud.listing()).filter(({ kind }) => kind === 'machine')).toHaveLength(3);
  github.workflowRuns.set(16_000_000_001, 'completed');
  const removed = await runner.main('reap', { inputs: { clouds: cloud.file, kept: 'true' } });
  expect(removed.code, removed.output).toBe(0);
  await cloud.expectEmpty(10_000);
});

it.each([
  ['on-success', 'failure', 'taken'],
  ['on-error', 'failure', 'kept: keep-running is on-error, and the job has failed'],
  ['on-error', 'cancelled', 'taken'],
  ['on-success', 'success', 'kept: keep-running is on-success, and the run is ready'],
] as const)('keep-running %s, and a later step that makes the job a %s: machines are %s', async (policy, conclusion, outcome) => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, lifetime: '2m', 'keep-running': policy };
  const { main, post } = await runner.job('deploy', { inputs, conclusion });
  expect([main.code, post.code], post.output).toEqual([0, 0]);
  expect(post.output).toContain(outcome === 'taken' ? 'Nothing is left' : `The machines are ${outcome}`);
  expect((await cloud.listing()).filter(({ kind }) => kind === 'machine')).toHaveLength(outcome === 'taken' ? 0 : 3);
  const removed = await runner.main('terminate', { inputs: { run: main.outputs['run'] ?? '' } });
  expect(removed.code, removed.output).toBe(0);
  await cloud.expectEmpty(10_000);
});

it('a step that has waited in vain has failed: its machines stay with on-error, and not with on-success', async () => {
  const { cloud, runner } = await bench();
  await project(runner, oneMachine('#!/bin/sh\n', { parameters: { answer: { output: true } } }));
  const wait = (policy: string) =>
    runner.job('deploy', { inputs: { clouds: cloud.file, 'wait-for': 'answer', timeout: '1s', 'keep-running': policy } });
  const success = await wait('on-success');
  expect([success.main.code, success.post.code], success.post.output).toEqual([1, 0]);
  expect(success.post.output).toContain('Nothing is left');
  const error = await wait('on-error');
  expect(error.post.output).toContain('keep-running is on-error, and the step has failed');
  const ended = await runner.main('terminate', { inputs: { run: error.main.outputs['run'] ?? '' } });
  expect(ended.code, ended.output).toBe(0);
  await cloud.expectEmpty(10_000);
});

it('refuses to wait for what cannot come before it launches anything', async () => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, 'wait-for': 'web.1:raedy' };
  const { main, post } = await runner.job('deploy', { inputs });
  expect([main.code, post.code], post.output).toEqual([1, 0]);
  expect(main.log.annotations.at(-1)?.message).toContain('there is no parameter web.1:raedy');
  expect(main.output).not.toContain('Provisioning');
  expect(post.output).toContain('No run was asked for');
});

it('post does as main was told, whatever its inputs have become', async () => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file };
  const postInputs = { ...inputs, lifetime: 'nonsense', 'keep-running': 'always', server: 'https://elsewhere.example' };
  const { main, post } = await runner.job('deploy', { inputs, postInputs });
  expect([main.code, post.code], main.output + post.output).toEqual([0, 0]);
  expect(post.output).toContain('Nothing is left');
  await cloud.expectEmpty();
});

it('reports that have no room fail nothing, and there is an artifact only where it is wanted', async () => {
  const { github, cloud, runner } = await bench();
  await project(runner, oneMachine('#!/bin/sh\nhead -c 3000000 /dev/urandom >"$PACELINE_REPORT_DIR/large"\n'));
  const full = await runner.job('deploy', { inputs: { clouds: cloud.file, 'reports-limit': '1MiB' } });
  expect([full.main.code, full.post.code], full.main.output + full.post.output).toEqual([0, 0]);
  expect(full.main.outputs['state']).toBe('Ready');
  expect(full.main.log.annotations).toContainEqual(
    expect.objectContaining({ level: 'warning', message: expect.stringContaining('more than is left of `reports-limit`') }),
  );
  expect([...github.artifacts.keys()]).toEqual([]);
  const none = await runner.job('deploy', { inputs: { clouds: cloud.file, artifact: '' } });
  expect([none.main.code, none.post.code], none.post.output).toEqual([0, 0]);
  expect([...github.artifacts.keys()]).toEqual([]);
  const kept = await runner.job('deploy', { inputs: { clouds: cloud.file, 'retention-days': '3' } });
  expect(kept.post.code, kept.post.output).toBe(0);
  expect([...github.artifacts.keys()]).toEqual([`paceline-reports-${kept.main.outputs['run']?.slice(-8)}`]);
  const days = (Date.parse(github.artifactsExpire.at(-1) ?? '') - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(3);
  await cloud.expectEmpty();
});

it('tells a pull request and an environment why a system has failed, each job of a matrix for itself', async () => {
  const { github, cloud, runner } = await bench();
  await project(runner, oneMachine('#!/bin/sh\necho no-disk-here >&2\nexit 3\n'));
  const event = join(runner.temp, 'event.json');
  await writeFile(event, JSON.stringify({ pull_request: { number: 7, head: { repo: { full_name: 'octo/app' } } } }));
  const inputs = { clouds: cloud.file, comment: 'true', environment: 'review' };
  for (const jobIndex of [0, 1]) {
    const { main, post } = await runner.job('deploy', { inputs, jobIndex, env: { GITHUB_EVENT_PATH: event } });
    expect([main.code, post.code], post.output).toEqual([1, 0]);
  }
  expect(github.statuses.map(({ state }) => state)).toEqual(Array.from({ length: 2 }, () => ['in_progress', 'failure', 'failure']).flat());
  expect(github.comments).toHaveLength(2);
  for (const { body } of github.comments) {
    expect(body).toContain('**Reason:**');
    expect(body).toContain('no-disk-here');
    expect(body).toContain('Nothing is left');
  }
  expect(github.complaints).toEqual([]);
});

it('a deployment that is kept is still found on GitHub, and one that never began is over', async () => {
  const { github, cloud, runner } = await bench();
  const inputs = {
    deployment: 'examples/client-server',
    clouds: cloud.file,
    environment: 'review',
    lifetime: '2m',
    'keep-running': 'always',
  };
  const { main, post } = await runner.job('deploy', { inputs });
  expect(post.code, post.output).toBe(0);
  expect(github.statuses.at(-1)).toMatchObject({ state: 'success', environment_url: main.outputs['service-url'] });
  const ended = await runner.main('terminate', { inputs: { run: main.outputs['run'] ?? '' } });
  expect(ended.code, ended.output).toBe(0);
  // It is killed when GitHub has heard of it, and the engine has not.
  const cut = await runner.main('deploy', {
    inputs: { ...inputs, server: 'http://127.0.0.1:9' },
    started: (step) => void until(() => expect(github.statuses.at(-1)?.state).toBe('in_progress')).then(() => step.kill()),
  });
  const after = await runner.post('deploy', cut, { inputs, jobStatus: 'cancelled' });
  expect(after.code, after.output).toBe(0);
  expect(['inactive', 'failure']).toContain(github.statuses.at(-1)?.state);
  await cloud.expectEmpty(10_000);
});
