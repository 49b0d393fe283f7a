import { expect, it } from 'vitest';
import { whyNoSandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { anotherRunner, bench } from './support/bench.ts';
import type { RunningStep } from './support/runner.ts';

const jobMs = 120_000;
const inputs = { deployment: 'examples/client-server', parameters: 'clients: 1' };

it.for([
  ['Provisioning', 'cancel'],
  ['Executing', 'cancel'],
  ['Provisioning', 'kill'],
  ['SendingReports', 'kill'],
] as const)('of a job with machines that in %s gets a %s nothing is left', { timeout: jobMs }, async ([phase, way], { skip }) => {
  skip(whyNoSandbox !== undefined, whyNoSandbox);
  const { cloud, runner } = await bench({}, 'sandbox');
  const given = { ...inputs, clouds: cloud.file };
  let reached = false;
  const main = await runner.main('deploy', {
    inputs: given,
    meanwhile: (output: string, step: RunningStep) => {
      if (reached || !output.includes(`::group::${phase}`)) return;
      reached = true;
      step[way]();
    },
  });
  expect(reached, main.output).toBe(true);
  // What is cancelled ends by itself, in the time that the runner gives.
  expect(main.code, main.output).toBe(way === 'cancel' ? 1 : null);
  const post = await runner.post('deploy', main, { inputs: given });
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('Nothing is left: the listing of the cloud shows nothing of this run.');
  await cloud.expectEmpty(20_000);
});

it('machines of a lost runner are removed by a scheduled reap', { timeout: jobMs }, async ({ skip }) => {
  skip(whyNoSandbox !== undefined, whyNoSandbox);
  const set = await bench({}, 'sandbox');
  const { cloud, runner, github } = set;
  const lost = await runner.main('deploy', { inputs: { ...inputs, clouds: cloud.file } });
  expect(lost.code, lost.output).toBe(0);
  runner.killOrphans();
  expect((await cloud.listing()).filter(({ kind }) => kind === 'machine')).toHaveLength(2);
  github.workflowRuns.set(16_000_000_001, 'completed');
  const scheduled = await anotherRunner(set, { GITHUB_RUN_ID: '16000000003' });
  // What a cloud is still ending is looked at again.
  await until(async () => {
    const reap = await scheduled.main('reap', { inputs: { clouds: cloud.file } });
    expect(reap.code, reap.output).toBe(0);
    expect(reap.outputs['found'], reap.output).toBe('0');
  }, 60_000);
  await cloud.expectEmpty(20_000);
});
