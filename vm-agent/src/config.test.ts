import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';
import { parseConfig } from './config.ts';
import { isOver } from './lease.ts';
import { pathsOf } from './paths.ts';

const least = { url: 'http://127.0.0.1:8080/', run: 'r', instance: 'web.1' };

test('a config, with what it may leave out', () => {
  expect(parseConfig(JSON.stringify(least))).toEqual({
    url: 'http://127.0.0.1:8080',
    run: 'r',
    instance: 'web.1',
    root: '',
    packages: 'install',
    env: {},
  });
  const full = {
    ...least,
    url: 'https://x',
    secret: 's',
    expires: '2030-01-01T00:00:00Z',
    root: '/r',
    packages: 'check',
    env: { A: 'b' },
    socket: '/s',
    path: '/p',
  };
  expect(parseConfig(JSON.stringify(full))).toEqual(full);
});

test.each([
  [{ ...least, url: undefined }, '"url" is missing or no string'],
  [{ ...least, run: 5 }, '"run" is missing or no string'],
  [{ ...least, url: 'ftp://x' }, '"url" is not what it should be'],
  [{ ...least, packages: 'maybe' }, '"packages" is not what it should be'],
  [{ ...least, expires: 'soon' }, '"expires" is not what it should be'],
  [{ ...least, env: { A: 1 } }, '"env" is not what it should be'],
])('%j', (config, message) => expect(() => parseConfig(JSON.stringify(config))).toThrow(message));

test('a socket path that is too long for a socket lies elsewhere', () => {
  expect(pathsOf({ root: '' }).socket).toBe('/run/paceline/agent.sock');
  expect(pathsOf({ root: '/x' }).socket).toBe('/x/run/paceline/agent.sock');
  expect(pathsOf({ root: `/${'x'.repeat(100)}` }).socket).toMatch(/\/paceline-[0-9a-f]{16}\/agent\.sock$/);
  expect(pathsOf({ root: '/x', socket: '/s' }).socket).toBe('/s');
});

test('delays grow, have jitter and an end', () => {
  const clock = { now: () => 0, sleep: async () => {} };
  const backoff = new Backoff(clock, () => 1);
  expect(Array.from({ length: 10 }, () => backoff.next())).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
  expect(new Backoff(clock, () => 0).next()).toBe(50);
});

test('a lease ends only when the time is over and the engine has been away for a while', () => {
  const lease = (now: number, since: number | undefined): boolean =>
    isOver({ expires: 1_000_000, clock: { now: () => now, sleep: async () => {} }, downSince: () => since, onEnd: () => {} });
  expect(lease(5_000_000, undefined)).toBe(false);
  expect(lease(999_999, 0)).toBe(false);
  expect(lease(1_059_999, 0)).toBe(false);
  expect(lease(1_060_000, 0)).toBe(true);
  expect(lease(5_000_000, 4_950_000)).toBe(false);
  expect(lease(5_000_000, 4_940_000)).toBe(true);
});
