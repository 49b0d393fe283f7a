import type { Client, CloudSurvey, InstanceView, RunDetail } from '@paceline/api';
import { expect, test } from 'vitest';
import { lockedOut, lockOf } from './lock-out.ts';

const instance = (cloud: string, stage: InstanceView['stage']): InstanceView => ({ cloud, stage }) as InstanceView;
const open = (name: string): CloudSurvey => ({ name, connector: 'x', reach: 'direct', account: { account: 'me', regions: [] } });
const locked = (name: string): CloudSurvey => ({
  name,
  connector: 'x',
  reach: 'direct',
  failure: { code: 'auth', message: 'who are you?' },
});
const lock = (instances: InstanceView[], clouds: CloudSurvey[]): string | undefined => lockOf({ instances }, clouds);

test('a run is waited for as long as a cloud that has something of it lets the engine in', () => {
  const both = [instance('a', 'leaving'), instance('b', 'leaving')];
  expect(lock(both, [open('a'), locked('b')])).toBeUndefined();
  expect(lock(both, [locked('a'), locked('b')])).toContain('a does not take the credentials: who are you?');
  // What it leaves behind when its machines are gone, as groups, has to go, too.
  expect(lock([instance('a', 'gone'), instance('b', 'gone')], [open('a'), locked('b')])).toBeUndefined();
});

test('a cloud on which nothing of the run is any more does not count', () => {
  const run = [instance('a', 'leaving'), instance('b', 'gone'), instance('b', 'wanted')];
  expect(lock(run, [open('a'), locked('b')])).toBeUndefined();
  expect(lock(run, [locked('a'), open('b')])).toContain('a does not take the credentials');
  expect(lock([], [locked('a')])).toBeUndefined();
});

test('an account that may not see prices or limits is let in, and another account is not', () => {
  const blind = { ...open('a'), failure: { code: 'forbidden', message: 'no pricing for you' } };
  expect(lock([instance('a', 'leaving')], [blind])).toBeUndefined();
  const other = { ...open('a'), failure: { code: 'auth', message: 'the machines are in 123' } };
  expect(lock([instance('a', 'leaving')], [other])).toContain('the machines are in 123');
});

test('a cloud that refuses once, as when it is restarted, is asked again', async () => {
  const answers = [locked('a'), open('a'), locked('a'), locked('a')];
  let asked = 0;
  const client = {
    runs: { get: async () => ({ instances: [instance('a', 'leaving')] }) as RunDetail },
    clouds: async () => [answers[asked++] ?? open('a')],
  } as unknown as Client;
  const waits: number[] = [];
  const pause = async (ms: number): Promise<void> => void waits.push(ms);
  const message = await lockedOut(client, 'run', { doubtMs: 5000, signal: new AbortController().signal, pause });
  expect(message).toContain('a does not take the credentials');
  expect([asked, waits]).toEqual([4, [1000, 5000, 15_000, 5000]]);
});

test('who may not ask the clouds waits until told to stop', async () => {
  const stop = new AbortController();
  const client = { runs: { get: async () => ({}) }, clouds: () => Promise.reject(new Error('operators only')) } as unknown as Client;
  const waiting = lockedOut(client, 'run', { doubtMs: 10, signal: stop.signal });
  stop.abort();
  expect(await waiting).toBeUndefined();
});
