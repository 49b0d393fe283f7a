import type { EventView, InstanceView, RunDetail } from '@paceline/api';
import { describe, expect, test } from 'vitest';
import { documentOf } from './document.ts';
import { code, codeBlock, cutAtLine, plain } from './markdown.ts';
import { endingLine, endingSummary, runSummary, summaryBytes, type RunReport } from './summary.ts';
import { costLine } from './cost.ts';
import { takeDownFailure } from './remains.ts';
import { timeline } from './timeline.ts';

const at = (seconds: number): string => new Date(seconds * 1000).toISOString();
const event = (seq: number, type: string, message: string, data: Record<string, unknown> = {}): EventView => ({
  seq,
  at: at(seq),
  type,
  severity: 'info',
  message,
  data,
});
const instance = (name: string, rest: Partial<InstanceView> = {}): InstanceView => ({
  name,
  node: name.split('.')[0] ?? '',
  index: 1,
  cloud: 'here',
  stage: 'joined',
  machineId: `m-${name}`,
  address: '10.0.0.1',
  step: null,
  complete: true,
  message: '',
  abort: null,
  fault: null,
  connected: true,
  blockedIn: [],
  dropped: false,
  disks: [],
  ...rest,
});
const runOf = (instances: InstanceView[], rest: Partial<RunDetail> = {}): RunDetail =>
  ({
    id: 'the-id',
    name: 'system',
    state: 'Ready',
    createdAt: at(0),
    stateSince: at(9),
    endedAt: null,
    abort: null,
    serviceUrl: null,
    expiresAt: at(99),
    instances,
    nodes: [],
    ...rest,
  }) as RunDetail;
const story = (rest: Partial<RunReport> = {}): RunReport => ({
  run: runOf([instance('web.1')]),
  events: [],
  outputs: [],
  reports: [],
  lastWords: [],
  now: 10_000,
  ...rest,
});

describe('text of machines', () => {
  test.each([
    ['[x](https://evil.example)', '&#91;x&#93;&#40;https:&#8203;//evil.example&#41;'],
    ['<img src=x>', '&#60;img src=x&#62;'],
    ['a | b\n# c', 'a &#124; b &#35; c'],
    ['@octo 😀', '&#64;&#8203;octo &#128512;'],
    ['www.evil.example fixes #12', 'www.&#8203;evil.example fixes &#35;&#8203;12'],
  ])('%j means nothing but itself', (text, expected) => expect(plain(text)).toBe(expected));

  test('has no way out of a block of code', () => {
    expect(codeBlock(['a', '```', '````x'])).toBe('`````text\na\n```\n````x\n`````');
    expect(code('</code><b>')).toBe('<code>&#60;/code&#62;&#60;b&#62;</code>');
  });
});

describe('a summary', () => {
  test('of a run that failed says why, in the words of the script', () => {
    const abort = { reason: "Failed running 'x:Deployment' script on 'web.1': no disk", source: 'web.1:abort', at: at(3) };
    const lastWords = [{ instance: 'web.1', source: '3-deploy-0.stderr.log', stream: 'stderr' as const, at: at(3), text: 'no disk' }];
    const text = runSummary(story({ run: runOf([instance('web.1', { abort: 'no disk' })], { abort }), lastWords }));
    expect(text).toContain('## ❌ system');
    expect(text).toContain('**Reason:** <code>Failed running');
    expect(text).toContain('```text\nno disk\n```');
    expect(text).toContain('| web.1 | aborted |');
  });

  test('of 500 machines shows all of them, folded', () => {
    const many = Array.from({ length: 500 }, (_, index) => instance(`client.${index + 1}`, { message: 'x'.repeat(200) }));
    const text = runSummary(story({ run: runOf(many) }));
    expect(text.match(/^\| client\.\d+ \|/gm)).toHaveLength(500);
    expect(text).toContain('<details><summary>500 instances: 500 done</summary>');
  });

  test('of more than fits leaves out what is worth least, and never what the matter is', () => {
    const abort = { reason: 'the reason', source: 'ss:abort', at: at(3) };
    const line = { instance: 'web.1', source: 's', stream: 'stderr' as const, at: at(3) };
    const lastWords = Array.from({ length: 32 }, (_, index) => ({ ...line, text: `${index} ${'y'.repeat(64 * 1024)}` }));
    const text = runSummary(story({ run: runOf([instance('web.1')], { abort }), lastWords }));
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(summaryBytes);
    expect(text).toContain('## ❌ system');
    expect(text).toContain('There is more than fits here');
  });

  test('is cut between lines and between characters', () => {
    const text = Array.from({ length: 100 }, () => 'ü'.repeat(10)).join('\n');
    const cut = cutAtLine(text, 300, 'more');
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(300);
    expect(
      cut
        .split('\n')
        .slice(0, -1)
        .every((line) => line === 'ü'.repeat(10)),
    ).toBe(true);
    expect(documentOf([{ text: 'short', worth: 1 }], 300)).toBe('short\n');
    expect(
      documentOf(
        [
          { text: 'kept', worth: 2 },
          { text, worth: 1 },
        ],
        300,
      ),
    ).toContain('kept\n');
  });

  test('says what is left, or that it could not be found out', () => {
    const run = runOf([instance('web.1')], { state: 'Done', endedAt: at(50) });
    const ending = (left: string[] | undefined, kept?: string): string => endingLine(run, { left, kept, artifactUrl: undefined });
    expect(ending([])).toContain('Nothing is left');
    expect(ending(['machine m-1 on here'])).toContain('Left on the cloud: <code>machine m-1 on here</code>');
    expect(ending(undefined)).toContain('could not be asked');
    expect(ending(undefined, 'so told')).toContain('The machines are kept: so told');
  });

  test('never says that nothing is left of a run that has not ended', () => {
    const run = runOf(
      [instance('web.1'), instance('web.2', { stage: 'gone' }), instance('web.3', { stage: 'launching', machineId: null })],
      {
        state: 'Finalizing',
      },
    );
    const line = endingLine(run, { left: [], kept: undefined, artifactUrl: undefined });
    expect(line).not.toContain('Nothing is left');
    expect(line).toContain('<code>machine m-web.1 of web.1 on here</code>, <code>machine that is being launched of web.3 on here</code>');
    expect(line).not.toContain('web.2');
    expect(takeDownFailure(run, [], true)).toContain('still Finalizing, and 2 of its machines are not known to be gone');
    expect(takeDownFailure(run, undefined, false)).toContain('`paceline status the-id`');
    expect(takeDownFailure({ ...run, endedAt: at(9) }, [], true)).toBe(undefined);
  });
});

describe('what post adds', () => {
  const abort = { reason: 'no disk', source: 'web.1:abort', at: at(3) };
  const report = { run: runOf([instance('web.1')], { abort, state: 'Aborted', endedAt: at(50) }), events: [], now: 60_000 };

  test('says why a run was aborted, for nobody else may have said it', () => {
    const text = endingSummary(report, { kept: undefined, left: [], artifactUrl: undefined });
    expect(text).toContain('### system: Aborted');
    expect(text).toContain('**Reason:** <code>no disk</code>');
    expect(text).toContain('Nothing is left');
  });

  test('fits below the summary of main, whatever is left', () => {
    const left = Array.from({ length: 5000 }, (_, index) => `machine i-${index} on aws-paris`);
    const text = endingSummary(report, { kept: undefined, left, artifactUrl: undefined });
    expect(Buffer.byteLength(text) + summaryBytes).toBeLessThanOrEqual(1024 * 1024);
    expect(text).toContain('<code>machine i-0 on aws-paris</code>');
    expect(text).toContain('and 4950 more');
  });
});

const launched = { instance: 'web.1', status: 'launched', id: 'm-1' };
const events = [
  event(1, 'run.state', 'Provisioning'),
  event(2, 'instance.machine', 'web.1: machine m-1 launched', launched),
  event(4, 'instance.joined', 'web.1 has joined', { instance: 'web.1' }),
  event(5, 'run.state', 'Executing'),
  event(6, 'instance.step', 'web.1: Deployment of a:b;c started', { instance: 'web.1', step: 'deploy-0', status: 'started' }),
  event(8, 'instance.step', 'web.1: Deployment of a:b;c failed', { instance: 'web.1', step: 'deploy-0', status: 'failed' }),
];

test('a timeline has the states, the boots and the steps', () => {
  expect(timeline(events, 10_000)).toMatchInlineSnapshot(`
    "\`\`\`mermaid
    gantt
      dateFormat x
      axisFormat %H:%M:%S
      section Run
      Provisioning :done, 1000, 5000
      Executing :active, 5000, 10000
      section web.1
      boot :done, 2000, 4000
      Deployment of a_b_c :crit, 6000, 8000
    \`\`\`
    "
  `);
  expect(timeline([], 10_000)).toBe('');
});

test('a timeline of many machines stays small enough to be drawn', () => {
  const many = Array.from({ length: 400 }, (_, index) => event(2, 'instance.machine', 'm', { ...launched, instance: `client.${index}` }));
  const text = timeline([event(1, 'run.state', 'Provisioning'), ...many], 10_000);
  expect(Buffer.byteLength(text)).toBeLessThan(50_000);
  expect(text).toContain('_and 375 more machines_');
});

describe('what machines have cost', () => {
  const node = (name: string, prices?: Record<string, number>) => ({
    name,
    image: name,
    needs: [],
    ...(prices && { prices: Object.fromEntries(Object.entries(prices).map(([at, amount]) => [at, { amount, currency: 'EUR' }])) }),
  });
  const nodes = [node('web', { here: 3600, there: 36_000 }), node('client', { here: 1800 }), node('free')];
  const cost = (more: EventView[], now = 10_000, instances = [instance('web.1')]): string =>
    costLine({ nodes, instances }, [...events, ...more], now);
  const gone = event(9, 'instance.machine', 'web.1: machine m-1 gone', { ...launched, status: 'gone' });
  const other = (name: string): EventView => event(5, 'instance.machine', 'm-2', { ...launched, instance: name, id: 'm-2' });

  test('is counted for each from its launch to its end', () => {
    expect(cost([])).toBe('1 machine, 8.0 s of machine time. Estimated cost: 8 EUR.');
    expect(cost([gone], 60_000)).toBe('1 machine, 7.0 s of machine time. Estimated cost: 7 EUR.');
    // It was scaled away.
    expect(cost([other('client.1')])).toContain('Estimated cost: 10.5 EUR.');
  });

  test('is unknown where no price is known, never nothing', () => {
    const unknown = costLine({ nodes: [], instances: [] }, events, 10_000);
    expect(unknown).toContain('Estimated cost: unknown.');
    expect(cost([other('free.1')])).toContain('Estimated cost: 8 EUR and 1 machine of unknown price.');
    expect(cost([other('web.2')])).toContain('Estimated cost: 8 EUR and 1 machine of unknown price.');
    expect(costLine({ nodes, instances: [] }, [], 10_000)).toBe('0 machines, 0.0 s of machine time.');
  });
});
