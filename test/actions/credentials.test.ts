import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bench, oneMachine, project } from './support/bench.ts';
import { GuardedCloud } from './support/guarded-cloud.ts';
import type { RunningStep, StepResult } from './support/runner.ts';

/** Main dies alone, as by the hand of a kernel without memory: its engine lives on. */
function killedWhenLaunched(output: string, { pid }: RunningStep): void {
  if (/machine \S+ launched/.test(output) && existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
}

/** A job whose machine is there when its main step is killed, and whose credential is then another one, or none. */
async function cutJob(word: string, postWord: string, then: (cloud: GuardedCloud) => Promise<void>) {
  const { runner } = await bench();
  await project(runner, oneMachine('#!/bin/sh\n', { timeout: '5m' }));
  const cloud = await GuardedCloud.open(runner, { [word]: 'A' });
  const main = await runner.main('deploy', {
    env: { LAB_WORD: word },
    meanwhile: killedWhenLaunched,
  });
  expect(await cloud.machines(), main.output).toHaveLength(1);
  await then(cloud);
  const post: StepResult = await runner.post('deploy', main, { env: { LAB_WORD: postWord }, jobStatus: 'failure' });
  return { cloud, post };
}

it('takes down with the credentials of its beginning when a later step has taken them out of the environment', async () => {
  const { cloud, post } = await cutJob('of-the-beginning', '', async () => {});
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('Nothing is left');
  expect(post.output).not.toContain('started again');
  expect(await cloud.machines()).toEqual([]);
});

it('takes down with those of the end of the job when those of its beginning are good no more', async () => {
  const { cloud, post } = await cutJob('of-the-beginning', 'of-the-end', (guarded) => guarded.letIn({ 'of-the-end': 'A' }));
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('started again with the credentials that the job has now');
  expect(post.output).toContain('Nothing is left');
  expect(await cloud.machines()).toEqual([]);
});

it('says that machines are left when neither are good, and does not wait for the rest of the job', async () => {
  const { cloud, post } = await cutJob('of-the-beginning', 'of-nobody', (guarded) => guarded.letIn({}));
  expect(post.code, post.output).toBe(1);
  expect(post.output).toContain('lab does not take the credentials: the word has ended');
  expect(post.output).not.toContain('Nothing is left');
  expect(post.log.annotations.at(-1)?.message).toContain('still Finalizing');
  expect(await cloud.machines()).toHaveLength(1);
});

it('terminates with the credentials of the step that has deployed, where its own step has none', async () => {
  const { runner } = await bench();
  await project(runner, oneMachine('#!/bin/sh\n', { timeout: '5m' }));
  const cloud = await GuardedCloud.open(runner, { 'of-the-step': 'A' });
  const main = await runner.main('deploy', {
    env: { LAB_WORD: 'of-the-step' },
    meanwhile: killedWhenLaunched,
  });
  const [, run = ''] = /Run (\S+) of/.exec(main.output) ?? [];
  const ended = await runner.main('terminate', { inputs: { run }, env: { LAB_WORD: '' } });
  expect(ended.code, ended.output).toBe(0);
  expect(await cloud.machines()).toEqual([]);
});

it('never takes machines for gone that the credentials of the end do not show, for they are of another account', async () => {
  const { cloud, post } = await cutJob('of-the-beginning', 'to-publish', (guarded) => guarded.letIn({ 'to-publish': 'B' }));
  expect(post.code, post.output).toBe(1);
  expect(post.output).toContain('lead to B, and the machines of');
  expect(post.output).not.toContain('Nothing is left');
  expect(await cloud.machines()).toHaveLength(1);
});

it('takes down with the credentials of its beginning when those of the end are of another account', async () => {
  const { cloud, post } = await cutJob('of-the-beginning', 'to-publish', (guarded) =>
    guarded.letIn({ 'of-the-beginning': 'A', 'to-publish': 'B' }),
  );
  expect(post.code, post.output).toBe(0);
  expect(post.output).toContain('Nothing is left');
  expect(await cloud.machines()).toEqual([]);
});
