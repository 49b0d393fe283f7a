import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bench, oneMachine, project } from './support/bench.ts';

it('an unknown input is a warning that says what may have been meant', async () => {
  const { runner } = await bench();
  const { main } = await runner.job('deploy', { inputs: { deployment: 'examples/none', paramters: 'x=1' } });
  expect(main.log.annotations[0]).toMatchObject({ level: 'warning', message: expect.stringContaining("There is no input 'paramters'. ") });
  expect(main.log.annotations[0]?.message).toContain('`parameters`');
});

it.each([
  ['keep-running', 'sometimes', "The input 'keep-running' is 'sometimes'"],
  ['timeout', 'soon', "The input 'timeout': 'soon' is not a duration"],
  ['parameters', 'clients: [', "The input 'parameters' is not valid YAML"],
  ['comment', 'maybe', "The input 'comment' is 'maybe'"],
])('a wrong %s is refused before anything starts', async (name, value, message) => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, [name]: value };
  const { main, post } = await runner.job('deploy', { inputs });
  expect([main.code, post.code]).toEqual([1, 0]);
  expect(main.log.annotations.at(-1)).toMatchObject({ level: 'error', message: expect.stringContaining(message) });
  await cloud.expectEmpty();
});

it('mistakes in module files are shown at their lines', async () => {
  const { runner } = await bench();
  await project(runner, {
    'deployment.yaml':
      'apiVersion: paceline.dev/v1\nkind: Deployment\nmetadata: { name: d }\nspec:\n  nodes:\n    web: { imag: ./web.yaml }\n',
  });
  const { main, post } = await runner.job('deploy');
  expect([main.code, post.code]).toEqual([1, 0]);
  expect(main.log.annotations.filter(({ file }) => file !== undefined)).toEqual(
    expect.arrayContaining([expect.objectContaining({ level: 'error', file: 'deployment.yaml', line: 6 })]),
  );
});

it('a script that fails is shown at its line, and what it tells the runner is not obeyed', async () => {
  const { cloud, runner } = await bench();
  const script = `#!/bin/bash
echo '::error file=x::forged'
echo '::stop-commands::forged'
echo '::add-mask::a'
echo '##[error]forged' >&2
no_such_command 2>&1 >/dev/null | cat >&2
exit 3
`;
  await project(runner, oneMachine(script));
  const { main, post } = await runner.job('deploy', { inputs: { clouds: cloud.file } });
  expect([main.code, post.code], main.output).toEqual([1, 0]);
  expect(main.log.annotations).toContainEqual(
    expect.objectContaining({ level: 'error', file: 'deploy.sh', line: 6, message: expect.stringContaining('no_such_command') }),
  );
  expect(main.log.annotations.filter(({ message, file }) => message === 'forged' || file === 'x')).toEqual([]);
  expect(main.log.shown).toContain('::error file=x::forged');
  expect(main.log.masks).not.toContain('a');
  expect(main.summary).toContain('no_such_command');
  expect(main.outputs['state']).toBe('Aborted');
  await cloud.expectEmpty();
});

it('a run that never gets ready ends in time, with what it waited for', async () => {
  const { cloud, runner } = await bench();
  await project(runner, oneMachine('#!/bin/sh\nsleep 600\n'));
  const { main, post } = await runner.job('deploy', { inputs: { clouds: cloud.file, timeout: '2s' } });
  expect([main.code, post.code], main.output).toEqual([1, 0]);
  expect(main.log.annotations.at(-1)?.message).toMatch(/PACELINE_RUN_ABORTED/);
  await cloud.expectEmpty();
});

it('secrets are masked before anything is logged, in all the forms in which programs print them', async () => {
  const { cloud, runner } = await bench();
  const secret = 'Tr0ub4dor & "three"';
  const image = { parameters: { password: { type: 'password' } }, scripts: { deploy: 'deploy.sh' } };
  await project(runner, oneMachine('#!/bin/sh\nss-get password\nss-get password | base64\n', {}, image));
  const { main, post } = await runner.job('deploy', { inputs: { clouds: cloud.file, parameters: `web:password=${secret}` } });
  expect(main.code, main.output).toBe(0);
  const shown = main.log.shown + post.log.shown + main.summary + post.summary + JSON.stringify(main.outputs) + JSON.stringify(main.state);
  for (const form of [secret, Buffer.from(secret).toString('base64'), encodeURIComponent(secret)]) {
    expect(shown).not.toContain(form);
    expect(main.log.masks).toContain(form);
  }
  expect(main.output.indexOf('::add-mask::')).toBeLessThan(main.output.indexOf('Provisioning'));
});

it('a fork’s pull request is told why there are no tokens and no comments', async () => {
  const { github, cloud, runner } = await bench();
  github.mayWrite = false;
  const event = join(runner.temp, 'event.json');
  await writeFile(event, JSON.stringify({ pull_request: { number: 7, head: { repo: { full_name: 'stranger/app' } } } }));
  const env = { GITHUB_EVENT_PATH: event };
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, comment: 'true' };
  const { main, post } = await runner.job('deploy', { inputs, env });
  expect([main.code, post.code], main.output).toEqual([0, 0]);
  expect(main.log.annotations).toContainEqual(
    expect.objectContaining({ level: 'warning', message: expect.stringContaining('pull requests from forks may not write') }),
  );
  const noToken = { ...env, ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' };
  const server = await runner.job('deploy', { inputs: { ...inputs, server: 'http://127.0.0.1:9' }, env: noToken });
  expect(server.main.code).toBe(1);
  expect(server.main.log.annotations.at(-1)?.message).toContain('Workflows of pull requests from forks get none.');
  await cloud.expectEmpty();
});

it('clouds that let nobody in, or are no clouds, fail the step with words', async () => {
  const { runner } = await bench();
  const file = join(runner.workspace, 'bad.yaml');
  await writeFile(file, 'clouds: { lab: { connector: nonesuch } }');
  const { main, post } = await runner.job('deploy', { inputs: { deployment: 'examples/client-server', clouds: 'bad.yaml' } });
  expect(main.code).toBe(1);
  expect(main.log.annotations.at(-1)?.message).toContain("There is no connector 'nonesuch'");
  expect(post.log.annotations.filter(({ level }) => level === 'error').length).toBe(post.code === 0 ? 0 : 1);
});

it('a cloud that knows no credentials of the job fails the step with what to do about it, and nobody waits for it', async () => {
  const { runner } = await bench();
  await project(runner, {
    'clouds.yaml': 'clouds: { aws-paris: { connector: aws, region: eu-west-3 } }',
    ...oneMachine('#!/bin/sh\n', { timeout: '20s' }, { clouds: { 'aws-paris': { image: 'ami-0123456789abcdef0', login: 'admin' } } }),
  });
  // There is no metadata service to ask either.
  const { main, post } = await runner.job('deploy', { env: { AWS_EC2_METADATA_DISABLED: 'true' } });
  expect([main.code, post.code], main.output + post.output).toEqual([1, 1]);
  expect(main.log.annotations.at(-1)?.message).toMatch(/Could not load credentials/);
  expect(main.log.annotations.at(-1)?.message).toContain('aws sts get-caller-identity');
  // It does not know whether anything is left, and says so at once instead of waiting for what cannot come.
  expect(post.output).toContain('aws-paris does not take the credentials');
  expect(post.log.annotations.at(-1)?.message).toContain('still Finalizing');
});

it('a cloud whose quota is used up aborts the run with the words of the cloud', async () => {
  const { runner } = await bench();
  const answers = {
    hello: {
      result: {
        protocol: 1,
        name: 'full',
        version: '1.0.0',
        capabilities: { userDataBytes: 65_536, maxBatch: 8, idempotency: 'name', listConsistencyMs: 0, reach: 'host' },
      },
    },
    probe: { result: { account: 'tester', regions: [] } },
    launch: { error: { code: 'quota', message: 'CPUs: 8 of 8 are in use' } },
    describe: { result: { machines: [] } },
    list: { result: {} },
    terminate: { result: { results: [] } },
  };
  const program = `const answers = ${JSON.stringify(answers)};
for await (const line of (await import('node:readline')).createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line);
  if (id !== undefined) console.log(JSON.stringify({ id, ...answers[method] }));
}
`;
  await project(runner, {
    ...oneMachine('#!/bin/sh\n'),
    'full.mjs': program,
    'clouds.yaml': JSON.stringify({
      clouds: { full: { connector: 'exec', command: [process.execPath, join(runner.workspace, 'full.mjs')] } },
    }),
  });
  const { main, post } = await runner.job('deploy');
  expect([main.code, post.code], main.output + post.output).toEqual([1, 0]);
  expect(main.log.annotations.at(-1)?.message).toContain('CPUs: 8 of 8 are in use');
  expect(main.summary).toContain('CPUs: 8 of 8 are in use');
  expect(post.output).toContain('Nothing is left');
});
