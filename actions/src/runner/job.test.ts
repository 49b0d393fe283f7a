import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { jobOf, newRunId, workflowRunOf } from './job.ts';

test('the id of a run tells the workflow run, and is a UUID', () => {
  const workflow = fc.record({ run: fc.nat({ max: 2 ** 48 - 1 }), attempt: fc.integer({ min: 1, max: 0x7ff }), mayStay: fc.boolean() });
  fc.assert(
    fc.property(workflow, (given) => {
      const id = newRunId(given);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(workflowRunOf(id)).toEqual(given);
    }),
  );
  expect(newRunId({ run: 16_000_000_001, attempt: 3 }, (size) => Buffer.alloc(size, 0xff))).toBe('0003b9ac-a001-8003-bfff-ffffffffffff');
  expect(newRunId({ run: 1, attempt: 1 })).not.toBe(newRunId({ run: 1, attempt: 1 }));
});

test.each([crypto.randomUUID(), '', 'x', '0003b9ac-a001-8003-1fff-ffffffffffff'])('%j tells nothing', (id) => {
  expect(workflowRunOf(id)).toBeUndefined();
});

test('a job outside of GitHub is a job all the same', () => {
  expect(jobOf({})).toMatchObject({ run: 0, attempt: 1, pullRequest: undefined, fork: false });
});

test('a pull request of a fork has no secrets, but for workflows that are the repository’s own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-job-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const event = join(folder, 'event.json');
  await writeFile(event, JSON.stringify({ pull_request: { number: 7, head: { repo: { full_name: 'stranger/app' } } } }));
  const fork = (name: string): boolean => jobOf({ GITHUB_EVENT_PATH: event, GITHUB_EVENT_NAME: name, GITHUB_REPOSITORY: 'octo/app' }).fork;
  expect([fork('pull_request'), fork('pull_request_target')]).toEqual([true, false]);
});
