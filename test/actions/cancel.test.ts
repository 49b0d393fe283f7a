import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { anotherRunner, bench } from './support/bench.ts';
import type { StepResult } from './support/runner.ts';

it('a post step that has been told nothing does nothing', async () => {
  const { cloud, runner } = await bench();
  const post = await runner.post('deploy', { state: {} }, { inputs: { deployment: 'examples/client-server', clouds: cloud.file } });
  expect([post.code, post.outputs]).toEqual([0, {}]);
  await cloud.expectEmpty();
});

it('a job that is cancelled in a phase ends in the time that the runner gives', async () => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file };
  for (const phase of ['Provisioning', 'Executing', 'SendingReports']) {
    const main = await runner.main('deploy', {
      inputs,
      meanwhile: (output, step) => output.includes(`::group::${phase}`) && step.cancel(),
    });
    // Not killed: it has ended by itself.
    expect(main.code, phase).toBe(1);
    const post = await runner.post('deploy', main, { inputs });
    expect(post.code, post.output).toBe(0);
    await cloud.expectEmpty();
  }
});

it('what a lost runner has left is found and removed by a scheduled reap, and nothing else is', async () => {
  const set = await bench();
  const { github, cloud, runner } = set;
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file };
  const lost = await runner.main('deploy', { inputs });
  expect(lost.code, lost.output).toBe(0);
  runner.killOrphans();
  const atWork = await anotherRunner(set, { GITHUB_RUN_ID: '16000000002', GITHUB_WORKSPACE: runner.workspace });
  const working = await atWork.main('deploy', { inputs });
  expect(working.code, working.output).toBe(0);
  github.workflowRuns.set(16_000_000_001, 'in_progress').set(16_000_000_002, 'in_progress');

  const scheduled = await anotherRunner(set, { GITHUB_RUN_ID: '16000000003' });
  const reap = (more: object = {}): Promise<StepResult> => scheduled.main('reap', { inputs: { clouds: cloud.file, ...more } });
  const early = await reap();
  expect(early.code, early.output).toBe(0);
  const all = await cloud.listing();
  expect(all.filter(({ kind }) => kind === 'machine')).toHaveLength(6);
  expect(early.outputs).toEqual({ found: String(all.length), removed: '0' });

  github.workflowRuns.set(16_000_000_001, 'completed');
  const blind = await scheduled.main('reap', { inputs: { 'dry-run': 'true' } });
  expect(blind.output).toContain('There is no file of clouds in the workspace');
  await copyFile(cloud.file, join(scheduled.workspace, 'clouds.yaml'));
  const shown = await scheduled.main('reap', { inputs: { 'dry-run': 'true' } });
  expect(shown.outputs).toEqual({ found: String(all.length), removed: '0' });
  expect(shown.summary).toContain('would be removed');
  const removed = await reap();
  expect(removed.code, removed.output).toBe(0);
  expect(removed.outputs['removed']).toBe(String(all.filter(({ owner }) => owner.run === lost.outputs['run']).length));
  const left = await cloud.listing();
  expect(new Set(left.map(({ owner }) => owner.run))).toEqual(new Set([working.outputs['run']]));
  const post = await atWork.post('deploy', working, { inputs });
  expect(post.code, post.output).toBe(0);
  await cloud.expectEmpty(10_000);
});

it('what nobody comes for ends at its lifetime', async () => {
  const { cloud, runner } = await bench();
  const inputs = { deployment: 'examples/client-server', clouds: cloud.file, lifetime: '8s' };
  const main = await runner.main('deploy', { inputs });
  expect(main.code, main.output).toBe(0);
  runner.killOrphans();
  await until(() => expect(cloud.processes().filter((command) => /server\.py|http|sleep|agent/.test(command))).toEqual([]), 60_000);
});
