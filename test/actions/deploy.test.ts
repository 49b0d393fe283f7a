import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { repository } from '../support/system.ts';
import { LastingCloud } from './support/cloud.ts';
import { GitHub } from './support/github.ts';
import { Runner } from './support/runner.ts';

let github: GitHub;
let cloud: LastingCloud;
let runner: Runner;
beforeEach(async () => {
  github = await GitHub.open();
  cloud = await LastingCloud.open();
  runner = await Runner.hire(github.env());
  await cp(join(repository, 'examples'), join(runner.workspace, 'examples'), { recursive: true });
});
afterEach(async () => {
  await runner.leave();
  await cloud.close();
  await github.close();
});

it('brings a system up for the steps that follow, and takes it down after the job', async () => {
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
  expect(JSON.parse(main.outputs['parameters'] ?? '')).toMatchObject({ 'web.1:ready': 'true' });
  expect(main.log.groups).toEqual(['Provisioning', 'Executing', 'SendingReports', 'Ready']);
  expect(main.summary).toContain('| web.1 |');
  expect(main.summary).toContain('```mermaid\ngantt');
  expect(between).toBe(3);
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('Nothing is left: the listing of the cloud shows nothing of this run.');
  expect(post.summary).toContain('Nothing is left');
  expect([...github.artifacts.keys()]).toEqual([`paceline-reports-${main.outputs['run']?.slice(-8)}`]);
  expect(github.complaints).toEqual([]);
  await cloud.expectEmpty();
});
