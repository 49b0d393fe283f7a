import { beforeEach, afterEach, expect, test, vi } from 'vitest';
import { paint } from '@paceline/door';
import { at, instance, runDetail } from '../testing/run-detail.ts';
import { summary, type SummaryContent } from './summary.ts';

beforeEach(() => void vi.stubEnv('TZ', 'UTC'));
afterEach(() => void vi.unstubAllEnvs());

function text(content: Partial<SummaryContent>): string {
  const lines = summary({ run: runDetail([]), outputs: [], reports: [], lastWords: [], showInstances: false, ...content });
  return `\n${lines.map((line) => paint(line, { colour: false, unicode: true })).join('\n')}\n`;
}

test('ready and kept', () => {
  const run = runDetail([instance('web.1', { message: 'Serving', complete: true })], {
    state: 'Ready',
    stateSince: at(42.4),
    serviceUrl: 'http://10.0.0.1:8080',
  });
  const report = { name: 'web.1_report_x.tgz', instance: 'web.1', bytes: 5, sha256: '', at: at(40) };
  expect(text({ run, outputs: [{ key: 'web.1:ready', value: 'true', secret: false }], reports: [report], showInstances: true }))
    .toMatchInlineSnapshot(`
    "
    Ready after 0:42
    Instances:
      web.1  127.0.0.2  done  Serving
    Outputs:
      web.1:ready = true
    Service: http://10.0.0.1:8080
    Reports: 1 (paceline reports 3f2a91c0 --get DIR)
    The machines run until 2026-01-01 11:00:00. To take them down: paceline down 3f2a91c0
    "
  `);
});

test('aborted', () => {
  const run = runDetail([], {
    state: 'Aborted',
    outcome: 'Aborted',
    endedAt: at(9.5),
    abort: { reason: 'exit 1', source: 'web.1:abort', at: at(8) },
  });
  const lastWords = [{ instance: 'web.1', source: '3-deploy-0.stderr.log', stream: 'stderr' as const, at: at(8), text: 'no such file' }];
  expect(text({ run, lastWords })).toMatchInlineSnapshot(`
    "
    Aborted after 9.5 s
      reason: exit 1
      source: web.1:abort
    The last output of web.1 (3-deploy-0.stderr.log):
      no such file
    "
  `);
  expect(text({ run: { ...run, state: 'Ready', outcome: null, endedAt: null } })).toMatchInlineSnapshot(`
    "
    Aborted after 5.0 s; the machines are kept
      reason: exit 1
      source: web.1:abort
    The machines run until 2026-01-01 11:00:00. To take them down: paceline down 3f2a91c0
    "
  `);
});

test('cancelled', () => {
  expect(text({ run: runDetail([], { state: 'Cancelled', outcome: 'Cancelled', endedAt: at(100) }) })).toMatchInlineSnapshot(`
    "
    Cancelled after 1:40
    "
  `);
});
