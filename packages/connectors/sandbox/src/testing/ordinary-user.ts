import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const uid = 4242;

/** An account that exists in this test only: it is seen by what it starts, in a mount namespace where /etc says so. */
export interface OrdinaryUser extends Disposable {
  home: string;
  /** Runs a program to its end, and returns what it wrote. */
  run(command: string, ...args: string[]): Promise<string>;
}

/** Root can be everybody. Whoever else runs this is an ordinary user already. */
export function becomeOrdinary(): OrdinaryUser {
  const folder = mkdtempSync(join(tmpdir(), 'paceline-user-'));
  const home = join(folder, 'home');
  chmodSync(folder, 0o755);
  mkdirSync(home);
  chownSync(home, uid, uid);
  const replaced = ['passwd', 'group', 'subuid', 'subgid'];
  for (const name of ['passwd', 'group']) copyFileSync(join('/etc', name), join(folder, name));
  writeFileSync(join(folder, 'passwd'), `${readFileSync('/etc/passwd', 'utf8')}tester:x:${uid}:${uid}::${home}:/bin/sh\n`);
  writeFileSync(join(folder, 'group'), `${readFileSync('/etc/group', 'utf8')}tester:x:${uid}:\n`);
  for (const name of ['subuid', 'subgid']) writeFileSync(join(folder, name), 'tester:2000000:65536\n');
  const script = [
    ...replaced.map((name) => `mount --bind "$1/${name}" /etc/${name}`),
    `shift; exec setpriv --reuid ${uid} --regid ${uid} --init-groups --inh-caps=-all env -i HOME="$0" PATH="$PATH" TMPDIR=/tmp "$@"`,
  ].join(' && ');
  return {
    home,
    run: (command, ...args) =>
      new Promise((resolve, reject) => {
        execFile('unshare', ['--mount', 'sh', '-ec', script, home, folder, command, ...args], { cwd: '/' }, (error, stdout, stderr) => {
          if (error) reject(new Error(`${error.message}\n${stderr}`, { cause: error }));
          else resolve(stdout);
        });
      }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

/** Why no ordinary user can be played here; undefined if one can. */
export function whyNotOrdinary(needed: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can become another user';
  try {
    execFileSync('sh', ['-c', 'command -v newuidmap && command -v newgidmap'], { stdio: 'ignore' });
  } catch {
    return 'there is no newuidmap: apt-get install uidmap';
  }
  for (const path of needed) {
    try {
      execFileSync('setpriv', ['--reuid', String(uid), '--regid', String(uid), '--clear-groups', 'test', '-r', path]);
    } catch {
      return `another user may not read ${path}`;
    }
  }
  return undefined;
}
