import { expect, test } from 'vitest';
import { at, instance, runDetail } from '../testing/run-detail.ts';
import { runTree, type TreeOptions } from './run-tree.ts';
import type { RunDetail } from '@paceline/api';
import { paint } from '@paceline/door';

function frame(run: RunDetail, options: Partial<TreeOptions> & { columns?: number } = {}): string {
  const theme = options.theme ?? { colour: false, unicode: true };
  const lines = runTree(run, { theme, now: Date.parse(at(75)), ...options });
  return `\n${lines.map((line) => paint(line, theme, options.columns)).join('\n')}\n`;
}

const web = instance('web.1', { address: '10.0.0.1', complete: true, message: 'Serving on 8080' });

test('a run on its way', () => {
  const run = runDetail([
    web,
    instance('client.1', { step: 'deploy-1', blockedIn: ['client.1:ready', 'ss:go'] }),
    instance('client.2', { stage: 'booting', address: null }),
  ]);
  expect(frame(run)).toMatchInlineSnapshot(`
    "
    client-server 3f2a91c0  Executing  1 of 3  1:15
    ├─ web.1  10.0.0.1  done  Serving on 8080
    └─ client
       ├─ client.1  127.0.0.2  deploy-1  waits for ready, ss:go
       └─ client.2             booting
    "
  `);
  expect(frame(run, { theme: { colour: false, unicode: false }, columns: 50 })).toMatchInlineSnapshot(`
    "
    client-server 3f2a91c0  Executing  1 of 3  1:15
    |- web.1  10.0.0.1  done  Serving on 8080
    \`- client
       |- client.1  127.0.0.2  deploy-1  waits for re~
       \`- client.2             booting
    "
  `);
});

test('a run of one image, ready', () => {
  expect(frame(runDetail([instance('machine')], { state: 'Ready', category: 'Image', name: 'apache' }))).toMatchInlineSnapshot(`
    "
    apache 3f2a91c0  ✓ Ready  1:15
    └─ machine  127.0.0.2  joined
    "
  `);
});

test('an aborted run, with text from machines that means harm', () => {
  const broken = instance('client.1', { abort: 'cannot\u001b[2J read\n/etc/x', fault: null, step: null });
  const run = runDetail(
    [
      web,
      broken,
      instance('client.2', { connected: false, step: 'deploy-1' }),
      instance('client.3', { dropped: true, fault: 'no capacity', stage: 'wanted', address: null }),
    ],
    {
      abort: { reason: 'cannot\u001b[2J read\n/etc/x', source: 'client.1:abort', at: at(60) },
    },
  );
  expect(frame(run)).toMatchInlineSnapshot(`
    "
    client-server 3f2a91c0  Executing  1 of 3  1:15
    ✗ aborted by client.1:abort: cannot read /etc/x
    ├─ web.1  10.0.0.1  done  Serving on 8080
    └─ client
       ├─ client.1  127.0.0.2  aborted   cannot read /etc/x
       ├─ client.2  127.0.0.2  deploy-1  no connection
       └─ client.3             dropped   no capacity
    "
  `);
});

test('a run of many shows counts and what is to be looked at', () => {
  const workers = Array.from({ length: 300 }, (_, index) =>
    instance(`worker.${index + 1}`, { complete: index < 290, step: index < 290 ? null : 'deploy-0' }),
  );
  workers[6] = instance('worker.7', { abort: 'disk full' });
  workers[8] = instance('worker.9', { connected: false });
  expect(frame(runDetail([web, ...workers]))).toMatchInlineSnapshot(`
    "
    client-server 3f2a91c0  Executing  289 of 301  1:15
    ├─ web.1  10.0.0.1  done  Serving on 8080
    └─ worker  300: 288 done, 10 deploy-0, 1 aborted, 1 joined
       ├─ worker.7  127.0.0.2  aborted  disk full
       └─ worker.9  127.0.0.2  joined   no connection
    "
  `);
});

test('no more lines than there is room for', () => {
  const run = runDetail(
    Array.from({ length: 12 }, (_, index) => instance(`node${index}.1`)),
    { state: 'Finalizing' },
  );
  expect(frame(run, { rows: 4 })).toMatchInlineSnapshot(`
    "
    client-server 3f2a91c0  Finalizing  0 of 12  1:15
    ├─ node0.1   127.0.0.2  joined
    ├─ node1.1   127.0.0.2  joined
       and 10 lines more
    "
  `);
});

test('colours', () => {
  const lines = runTree(runDetail([web]), { theme: { colour: true, unicode: true }, now: Date.parse(at(75)) });
  expect(lines.map((line) => paint(line, { colour: true, unicode: true }, 30))).toMatchInlineSnapshot(`
    [
      "[1mclient-server[0m[2m 3f2a91c0[0m  [36mExecu[0m…",
      "[2m└─ [0mweb.1  [2m10.0.0.1[0m  [32mdone[0m  Ser…",
    ]
  `);
});
