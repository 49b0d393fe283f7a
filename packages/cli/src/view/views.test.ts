import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunView } from '@paceline/door';
import { recorder } from '../testing/recorder.ts';
import { at, event, instance, runDetail } from '../testing/run-detail.ts';
import { jsonView } from './json-view.ts';
import { liveView } from './live-view.ts';
import { plainView } from './plain-view.ts';

beforeEach(() => {
  vi.stubEnv('TZ', 'UTC');
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** A short story, as the server tells it. */
function tell(view: RunView): void {
  view.event(event(1, 'Provisioning', { type: 'run.state' }));
  view.event(event(2, 'web.1 has joined', { type: 'instance.joined', data: { instance: 'web.1' } }));
  view.log({ seq: 1, at: at(2), instance: 'web.1', source: '3-deploy-0.stdout.log', stream: 'stdout', text: 'half a ' });
  view.log({ seq: 2, at: at(3), instance: 'web.1', source: '3-deploy-0.stderr.log', stream: 'stderr', text: 'oh\u001b[2J!\n' });
  view.log({ seq: 3, at: at(3), instance: 'web.1', source: '3-deploy-0.stdout.log', stream: 'stdout', text: 'line\n10 %\r20 %\nrest' });
  view.event(event(4, 'web.1: no disk\nleft', { severity: 'warning', data: { instance: 'web.1' } }));
  view.note('The link was cut.');
  view.close();
}

test('lines', () => {
  const shell = recorder();
  tell(plainView(shell));
  expect(`\n${shell.out()}`).toMatchInlineSnapshot(`
    "
    10:00:01                Provisioning
    10:00:02  web.1         has joined
    web.1        | oh!
    web.1        | half a line
    web.1        | 20 %
    10:00:04  web.1         no disk left
    web.1        | rest
    "
  `);
  expect(shell.err()).toBe('The link was cut.\n');
});

test('lines and JSON among those of other runs say whose they are', () => {
  const [lines, json] = [recorder(), recorder()];
  tell(plainView(lines, 'lxd  '));
  expect(lines.out()).toContain('lxd    10:00:02  web.1         has joined\nlxd    web.1        | oh!\n');
  expect(lines.err()).toBe('lxd    The link was cut.\n');
  tell(jsonView(json, { cloud: 'lxd' }));
  for (const line of json.out().trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ cloud: 'lxd' });
});

test('JSON', () => {
  const shell = recorder();
  tell(jsonView(shell));
  const lines = shell.out().trimEnd().split('\n');
  expect(lines).toHaveLength(6);
  expect(lines.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual([
    'run.state',
    'instance.joined',
    'log',
    'log',
    'log',
    'instance.notice',
  ]);
});

describe('live', () => {
  const screen = (text: string): string => `\n${text.replaceAll('\u001b', '^')}`;

  test('draws over the last frame, and keeps above it what is worth keeping', () => {
    const shell = recorder({ terminal: { columns: 60, rows: 24 }, env: { LANG: 'C.UTF-8', NO_COLOR: '1' } });
    const view = liveView(shell);
    view.detail(runDetail([instance('web.1', { step: 'deploy-0' })]));
    vi.advanceTimersByTime(100);
    expect(screen(shell.out())).toMatchInlineSnapshot(`
      "

      ^[Jclient-server 3f2a91c0  Executing  0 of 1  1:15
      └─ web.1  127.0.0.2  deploy-0
      "
    `);
    const before = shell.out().length;
    view.detail(runDetail([instance('web.1', { complete: true })], { state: 'Ready' }));
    tell(view);
    expect(screen(shell.out().slice(before))).toMatchInlineSnapshot(`
      "
      ^[2A
      ^[Jweb.1        | oh!
      web.1        | half a line
      web.1        | 20 %
      10:00:04  web.1         no disk left
      The link was cut.
      web.1        | rest
      client-server 3f2a91c0  ✓ Ready  1:15
      └─ web.1  127.0.0.2  done
      "
    `);
  });

  test('draws ten times a second at most, and once a second when nothing happens', () => {
    const shell = recorder({ terminal: { columns: 60, rows: 24 } });
    const frames = (): number => shell.out().split('\u001b[J').length - 1;
    const view = liveView(shell);
    for (let step = 0; step < 1000; step++) {
      view.detail(runDetail([]));
      vi.advanceTimersByTime(1);
    }
    expect(frames()).toBeLessThanOrEqual(10);
    const busy = frames();
    vi.advanceTimersByTime(5000);
    expect(frames() - busy).toBeLessThanOrEqual(7);
    view.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
