import type { SessionView } from '@paceline/api';
import { expect, test } from 'vitest';
import { conditionOf } from '../run/wait.ts';
import { engineEnvironment } from './embedded.ts';
import { renewed } from './server.ts';

test('a session is renewed before it ends, once for all that ask', async () => {
  let now = 0;
  let opened = 0;
  const open = async (): Promise<SessionView> => {
    opened += 1;
    return { token: `t${opened}`, expiresAt: new Date(now + 3_600_000).toISOString(), name: 'n', role: 'deployer' };
  };
  const token = renewed(open, () => now);
  expect(await Promise.all([token(), token()])).toEqual(['t1', 't1']);
  now = 54 * 60_000;
  expect(await token()).toBe('t1');
  now = 56 * 60_000;
  expect(await Promise.all([token(), token()])).toEqual(['t2', 't2']);
});

test('a login that failed is tried again by the next request', async () => {
  let fails = true;
  const open = async (): Promise<SessionView> => {
    if (fails) throw new Error('not now');
    return { token: 't', expiresAt: '2999-01-01T00:00:00Z', name: 'n', role: 'deployer' };
  };
  const token = renewed(open);
  await expect(token()).rejects.toThrow('not now');
  fails = false;
  expect(await token()).toBe('t');
});

test('the engine sees credentials of clouds, and nothing that is for this step alone', () => {
  const env = { AWS_ACCESS_KEY_ID: 'a', PATH: '/bin', GITHUB_REPOSITORY: 'o/r', RUNNER_TEMP: '/t' };
  const own = { INPUT_TOKEN: 'x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x', ACTIONS_RUNTIME_TOKEN: 'x', STATE_run: 'x', GITHUB_OUTPUT: 'x' };
  expect(engineEnvironment({ ...env, ...own, GITHUB_TOKEN: 'x' })).toEqual(env);
});

test.each([
  ['ready', undefined],
  ['result', { key: 'ss:result', value: undefined }],
  ['web.1:ready=true', { key: 'web.1:ready', value: 'true' }],
  ['url=http://x?a=b', { key: 'ss:url', value: 'http://x?a=b' }],
])('%s is waited for', (text, expected) => expect(conditionOf(text)).toEqual(expected));
