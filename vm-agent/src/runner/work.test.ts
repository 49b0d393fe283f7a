import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpResult } from '@paceline/api/agent';
import { beforeEach, describe, expect, test } from 'vitest';
import { WorkBench } from '../testing/work-bench.ts';
import { Runner } from './runner.ts';
import { Work } from './work.ts';

let work: WorkBench;
beforeEach(async () => {
  work = await WorkBench.make();
});

/** From here on nothing can be recorded any more. */
const breakStore = 'mkdir "$STATE/state.json.new"';
const cannot = "EISDIR: illegal operation on a directory, open '";

async function storyOf(...steps: Parameters<WorkBench['assignment']>[1]): Promise<string[]> {
  const one = new Work(work.bench, work.assignment(1, steps));
  one.start();
  await one.ended;
  return work.story.map((line) => line.replaceAll(work.bench.config.root, ''));
}

describe('a machine that does not work as it should', () => {
  test('what is done but cannot be recorded has failed, and the work is completed', async () => {
    const report = work.script('r', 'true', { phase: 'report', label: 'Reporting', immune: true, aborts: false });
    expect(await storyOf(work.script('d', breakStore), work.script('next', 'echo never'), report)).toEqual([
      `d failed: Deployment of examples/web: the agent could not record how it ended: ${cannot}/var/lib/paceline/state.json.new'`,
      'next stopped',
      `r failed: Reporting of examples/web: the agent could not record that it begins: ${cannot}/var/lib/paceline/state.json.new'`,
      `warning: Reporting of examples/web: the agent could not record that it begins: ${cannot}/var/lib/paceline/state.json.new'`,
      'complete 1',
    ]);
    expect(work.bench.store.step('d')?.status).toBe('failed');
  });

  test('a script that failed keeps its own reason', async () => {
    const [failed] = await storyOf(work.script('d', `${breakStore}; echo "out of luck" >&2; exit 3`));
    expect(failed).toMatch(/^d failed: .*on 'web\.1': out of luck; the agent could not record how it ended: EISDIR/);
  });

  test('a step that does not abort leaves the ones after it alone', async () => {
    const story = await storyOf(work.script('d', `${breakStore}`, { aborts: false }), work.script('e', `true`, { aborts: false }));
    expect(story.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'd failed:',
      'warning: Deployment',
      'e failed:',
      'warning: Deployment',
      'complete 1',
    ]);
  });

  test('a script that cannot be written', async () => {
    rmSync(work.bench.paths.scripts, { recursive: true });
    writeFileSync(work.bench.paths.scripts, '');
    expect(await storyOf(work.script('d', 'true'))).toEqual([
      expect.stringMatching(/^d failed: Deployment of examples\/web: the agent could not write the script: ENOTDIR/),
      'complete 1',
    ]);
  });

  test('a script that cannot be kept for later runs all the same', async () => {
    rmSync(work.bench.paths.cache, { recursive: true });
    expect(await storyOf(work.script('d', 'true'))).toEqual(['d done', 'complete 1']);
  });

  test('a script that cannot be started', async () => {
    rmSync(work.bench.paths.cwd, { recursive: true });
    expect(await storyOf(work.script('d', 'true'))).toEqual([
      'd failed: Deployment of examples/web: the agent could not start it: spawn /bin/sh ENOENT',
      'complete 1',
    ]);
    rmSync(work.bench.paths.reports, { recursive: true });
    work.said.length = 0;
    expect((await storyOf(work.script('e', 'true')))[0]).toMatch(/could not start it: ENOENT: no such file or directory, open/);
  });

  test('an exit code that cannot be written is known all the same, and a start that cannot be is none', async () => {
    expect(await storyOf(work.script('d', 'mkdir "$STATE"/steps/1-d.1.result; exit 7'))).toEqual([
      "d failed: Failed running 'examples/web:Deployment' script on 'web.1': exit code 7",
      'complete 1',
    ]);
    work.said.length = 0;
    mkdirSync(join(work.bench.paths.steps, '1-e.1.begun'));
    expect((await storyOf(work.script('e', 'true')))[0]).toBe(
      "e failed: Failed running 'examples/web:Deployment' script on 'web.1': exit code 73",
    );
  });

  test('anything else', async () => {
    work.bench.store.begin(1);
    work.bench.store.record('d', { status: 'done', attempt: 1, bootId: 'boot-1' });
    writeFileSync(join(work.bench.paths.reports, '1-d.stdout.log'), 'rest');
    work.bench.stored = () => {
      throw new Error('nobody thought of this');
    };
    expect(await storyOf(work.script('d', 'true'))).toEqual([
      'd failed: Deployment of examples/web: the agent could not go on: nobody thought of this',
      'complete 1',
    ]);
    expect(() => new Work(work.bench, work.assignment(1, [work.script('d', 'true')], { completed: true })).start()).not.toThrow();
  });

  test('a report that cannot be recorded is sent all the same', async () => {
    mkdirSync(join(work.bench.paths.state, 'state.json.new'));
    expect(await storyOf({ kind: 'report', id: 'r' })).toEqual(['r done', 'complete 1']);
    expect([...work.fake.reports.values()].map(({ data, size }) => data.length === size)).toEqual([true]);
  });

  test('the next work begins even when that cannot be recorded', async () => {
    const runner = new Runner(work.bench);
    mkdirSync(join(work.bench.paths.state, 'state.json.new'));
    rmSync(work.bench.paths.steps, { recursive: true });
    runner.update(work.assignment(1, []));
    runner.update(work.assignment(2, [work.script('d', 'true')]));
    await work.fake.until('completion', () => work.story.includes('complete 2'));
    expect(work.story.at(-2)).toMatch(/^d failed: .*the agent could not record that it begins/);
    expect(work.bench.store.state.seq).toBe(2);
  });
});

describe('a machine that was restarted in the middle of a step', () => {
  test.each([
    ['before it could note an end', undefined],
    ['in good order, by SIGTERM', '143\n'],
    ['in the end by SIGKILL', '137\n'],
  ])('%s: begins it anew', async (_, result) => {
    work.bench.store.begin(1);
    work.bench.store.record('d', { status: 'running', attempt: 1, bootId: 'boot-0' });
    if (result !== undefined) writeFileSync(join(work.bench.paths.steps, '1-d.1.result'), result);
    expect(await storyOf(work.script('d', 'echo x >>"$STATE/count"'))).toEqual(['d done', 'complete 1']);
    expect(readFileSync(join(work.bench.paths.state, 'count'), 'utf8')).toBe('x\n');
  });

  test('after it had ended by itself: takes the end that it had', async () => {
    work.bench.store.begin(1);
    work.bench.store.record('d', { status: 'running', attempt: 1, bootId: 'boot-0' });
    writeFileSync(join(work.bench.paths.steps, '1-d.1.begun'), '4194304\n');
    writeFileSync(join(work.bench.paths.steps, '1-d.1.result'), '0\n');
    expect(await storyOf(work.script('d', 'echo x >>"$STATE/count"; exit 1'))).toEqual(['d done', 'complete 1']);
  });
});

describe('a completion that the engine has lost', () => {
  test('is told again, and nothing is done again', async () => {
    const runner = new Runner(work.bench);
    const answers: ((result: OpResult) => void)[] = [];
    work.answer = (op) => (op.op === 'complete' ? new Promise((resolve) => answers.push(resolve)) : Promise.resolve({ status: 'ok' }));
    const steps = [work.script('d', 'echo x >>"$STATE/count"'), work.script('f', 'exit 1', { aborts: false })];
    const lost = work.assignment(5, steps);
    runner.update(lost);
    await work.fake.until('completion', () => answers.length === 1);
    // The answer is still on its way: the queue says it again if need be.
    runner.update(lost);
    answers.shift()!({ status: 'ok' });
    await work.fake.until('record', () => work.bench.store.step('f')?.told);
    const before = work.said.length;
    runner.update({ ...lost, completed: true });
    expect(work.said).toHaveLength(before);
    runner.update(lost);
    runner.update(lost);
    await work.fake.until('completion', () => answers.length === 1);
    expect(work.said.slice(before)).toEqual([{ op: 'complete', seq: 5 }]);
    expect(readFileSync(join(work.bench.paths.state, 'count'), 'utf8')).toBe('x\n');
  });

  test('also by an agent that was told at first that it was known', async () => {
    const runner = new Runner(work.bench);
    work.bench.store.begin(5);
    work.bench.store.record('d', { status: 'done', attempt: 1, bootId: 'boot-0', told: true });
    const known = work.assignment(5, [work.script('d', 'true')], { completed: true });
    runner.update(known);
    runner.update({ ...known, completed: false });
    await work.fake.until('completion', () => work.said.length > 0);
    expect(work.said).toEqual([{ op: 'complete', seq: 5 }]);
  });
});
