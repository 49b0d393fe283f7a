import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packagesArgv } from './packages.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paceline-packages-'));
  // A clock that needs no time.
  tool('sleep', 'echo "sleep $*" >>"$CALLS"');
  for (const name of ['cat', 'grep', 'sh']) symlinkSync(spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim(), join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true }));

function tool(name: string, text: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

function run(mode: 'install' | 'check', packages: string[]): { code: number | null; stderr: string; calls: string } {
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  const [file, ...args] = packagesArgv(folder, mode, packages) as [string, ...string[]];
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8', env: { PATH: folder, CALLS: calls } });
  return { code: status, stderr, calls: readFileSync(calls, 'utf8') };
}

test('what is installed already is left alone', () => {
  tool('apt-get', 'echo "$*" >>"$CALLS"');
  tool('dpkg-query', 'case $* in *nginx | *python3) echo "install ok installed" ;; *) exit 1 ;; esac');
  expect(run('install', ['nginx', 'python3'])).toEqual({ code: 0, stderr: '', calls: '' });
  expect(run('install', ['nginx', 'curl']).calls).toMatch(/-y install -- curl\n$/);
});

test('apt updates, once more after a minute, and installs without questions', () => {
  tool('apt-get', 'echo "$DEBIAN_FRONTEND $*" >>"$CALLS"; case $* in *update) [ -e "$0.once" ] || { : >"$0.once"; exit 100; } ;; esac');
  expect(run('install', ['nginx', 'g++']).calls).toMatchInlineSnapshot(`
    "noninteractive -o DPkg::Lock::Timeout=300 update
    sleep 60
    noninteractive -o DPkg::Lock::Timeout=300 update
    noninteractive -o DPkg::Lock::Timeout=300 -y install -- nginx g++
    "
  `);
});

test.each([
  ['dnf', '-y install nginx'],
  ['yum', '-y install nginx'],
  ['zypper', '--non-interactive install --auto-agree-with-licenses nginx'],
  ['apk', 'add --no-progress nginx'],
])('%s', (name, call) => {
  tool(name, '[ "$1" = info ] || echo "$*" >>"$CALLS"; exit 4');
  expect(run('install', ['nginx'])).toMatchObject({ code: 4, calls: `${call}\n` });
});

test('a machine without any', () => {
  expect(run('install', ['nginx'])).toMatchObject({ code: 1, stderr: 'none of apt-get, dnf, yum, zypper and apk is on this machine\n' });
});

test('checking installs nothing', () => {
  tool('apt-get', 'echo never >>"$CALLS"');
  tool('dpkg-query', '[ "$4" = there ] && echo "install ok installed" || { echo "deinstall ok config-files"; }');
  expect(run('check', ['there', 'sh'])).toEqual({ code: 0, stderr: '', calls: '' });
  expect(run('check', ['there', 'gone', 'other'])).toMatchObject({
    code: 1,
    stderr:
      "packages gone other are not installed on this host; the local cloud shares the host's software: install them, or use another cloud\n",
  });
});

test('a name is no option', () => {
  expect(() => packagesArgv(folder, 'install', ['--reinstall'])).toThrow("'--reinstall' is not the name of a package");
});
