import { expect, test } from 'vitest';
import type { WayInAnswer } from '@paceline/api';
import { startOf, type Surroundings } from './way-in.ts';

const env = { PATH: '/bin', PACELINE_TOKEN: 'hush' };
const here: Surroundings = { hostname: 'here', shell: '/bin/zsh', env, isTerminal: true, hasOwnUsers: (pid) => pid === 7 };
const ssh = { kind: 'ssh' as const, host: '192.0.2.1', port: 22, user: 'admin', hostKeys: ['ssh-ed25519 AAAA'] };

test('a machine on a network is reached by ssh that trusts its known key and no other', () => {
  expect(startOf({ on: 'there', way: ssh }, [], here)).toEqual({
    program: 'ssh',
    args: [
      ...['-p', '22', '-l', 'admin'],
      ...['-o', 'UserKnownHostsFile=@known-hosts@', '-o', 'GlobalKnownHostsFile=none', '-o', 'StrictHostKeyChecking=yes'],
      ...['-t', '192.0.2.1'],
    ],
    env,
    knownHosts: ['192.0.2.1 ssh-ed25519 AAAA'],
  });
  expect(startOf({ on: 'there', way: { ...ssh, port: 2222 } }, ['ls'], here).knownHosts).toEqual(['[192.0.2.1]:2222 ssh-ed25519 AAAA']);
});

test("without a known key the user's own settings decide", () => {
  expect(startOf({ on: 'there', way: { ...ssh, hostKeys: [] } }, ['true'], here)).toEqual({
    program: 'ssh',
    args: ['-p', '22', '-l', 'admin', '192.0.2.1', 'true'],
    env,
  });
});

test('a command comes through as it is, also into a machine that is a part of its host', () => {
  const { args } = startOf({ on: 'there', way: { ...ssh, enter: ['sh', '/p', 'enter'] } }, ['echo', "it's $HOME", 'a b'], here);
  expect(args.at(-1)).toBe(String.raw`sh /p enter echo 'it'\''s $HOME' 'a b'`);
});

test('a key of the inventory is used where it lies', () => {
  const way = { ...ssh, identity: '/key' };
  expect(startOf({ on: 'here', way }, [], here).args).toContain('/key');
  expect(startOf({ on: 'there', way }, [], here).args).not.toContain('/key');
});

test.each([
  ['-oProxyCommand=evil', 'admin'],
  ['192.0.2.1', '-oProxyCommand=evil'],
])('options in the guise of an address are refused: %s %s', (host, user) => {
  expect(() => startOf({ on: 'there', way: { ...ssh, host, user } }, [], here)).toThrow('is no address');
});

test('a machine that is a directory takes only what it needs from the answer', () => {
  const said = { HOME: '/m/home', PACELINE_ROOT: '/m', LD_PRELOAD: '/evil.so', PATH: '/evil' };
  expect(startOf({ on: 'here', way: { kind: 'directory', directory: '/m/home', env: said } }, [], here)).toEqual({
    program: '/bin/zsh',
    args: [],
    cwd: '/m/home',
    env: { ...env, HOME: '/m/home', PACELINE_ROOT: '/m', PATH: '/m/opt/slipstream/client/bin:/bin' },
  });
});

test('namespaces are entered, with the users where they are others', () => {
  const args = (pid: number): string[] => startOf({ on: 'here', way: { kind: 'namespaces', pid } }, ['id'], here).args;
  expect(args(7)).toContain('--user');
  expect(args(8)).not.toContain('--user');
  expect(args(8).slice(-5)).toEqual(['-c', 'cd; exec "$@"', 'sh', 'id'].toSpliced(0, 0, '/bin/sh'));
});

test('nothing of ours is handed to programs of a machine whose namespaces are entered: not even to one that would take it away', () => {
  const start = startOf({ on: 'here', way: { kind: 'namespaces', pid: 8 } }, [], here);
  expect(Object.keys(start.env).toSorted()).toEqual(['HOME', 'LANG', 'PATH', 'TERM']);
  expect(start.args).not.toContain('env');
});

test.each<WayInAnswer['way']>([
  { kind: 'directory', directory: '/', env: {} },
  { kind: 'namespaces', pid: 1 },
  { ...ssh, host: '127.0.0.1', port: 40_022 },
])('a $kind of another host is not mistaken for one of this', (way) => {
  expect(() => startOf({ on: 'there', way }, [], here)).toThrow('part of the host there');
});
