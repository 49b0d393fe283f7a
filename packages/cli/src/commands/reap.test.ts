import type { ReapReport } from '@paceline/api';
import { afterEach, expect, test, vi } from 'vitest';
import { recorder } from '../testing/recorder.ts';
import { reapCommand } from './reap.ts';

afterEach(() => vi.unstubAllGlobals());

const orphan = (id: string, outcome: ReapReport['orphans'][number]['outcome']): ReapReport['orphans'][number] => ({
  ...{ cloud: 'aws', kind: 'machine', id, name: id, run: 'r1', reason: 'there is no run r1', outcome },
});

async function reap(report: ReapReport, yes: boolean): Promise<{ out: string; err: string; failure?: string }> {
  vi.stubGlobal('fetch', async () => Response.json(report));
  const shell = recorder();
  const failure = await reapCommand([], { server: 'http://127.0.0.1:1', token: 't', yes }, shell).then(
    () => undefined,
    (error: Error) => error.message,
  );
  return { out: shell.out(), err: shell.err(), ...(failure !== undefined && { failure }) };
}

test('says of each thing what has become of it', async () => {
  const orphans = [orphan('i-1', 'removed'), orphan('i-2', 'ending'), orphan('i-3', 'kept')];
  const failures = [
    { cloud: 'aws', message: 'machine i-3 is still there: it is protected' },
    { cloud: 'lab', message: 'who are you?' },
  ];
  const { out, err, failure } = await reap({ orphans, accounts: [], failures, seen: 3 }, true);
  expect(out.split('\n')).toEqual([
    'aws  machine i-1  there is no run r1: removed',
    'aws  machine i-2  there is no run r1: still going',
    'aws  machine i-3  there is no run r1: still there',
    '',
  ]);
  expect(err).toContain('1 still going');
  expect(failure).toBe('aws: machine i-3 is still there: it is protected\nlab: who are you?');
});

test('nothing is left only where every cloud was looked at', async () => {
  expect((await reap({ orphans: [], accounts: [], failures: [], seen: 2 }, false)).out).toBe('Nothing is left over (2 in use)\n');
  expect((await reap({ orphans: [], accounts: [], failures: [{ cloud: 'lab', message: 'who are you?' }], seen: 0 }, true)).out).toBe('');
  expect((await reap({ orphans: [orphan('i-1', 'found')], accounts: [], failures: [], seen: 1 }, false)).err).toContain(
    '`paceline reap --yes` removes it',
  );
});

test('says in which account it has looked', async () => {
  const accounts = [{ cloud: 'aws', account: 'aws 123456789012 eu-west-3' }];
  expect((await reap({ orphans: [], accounts, failures: [], seen: 0 }, false)).err).toContain(
    'aws was looked into as aws 123456789012 eu-west-3.',
  );
});
