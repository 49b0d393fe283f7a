import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@paceline/connector-host/testing';
import { keyPairOf } from '@paceline/engine/ssh';

const needed = ['/usr/sbin/sshd', '/usr/bin/unshare', '/usr/bin/setsid', '/usr/bin/flock'];

/** Why no hosts can be played here; undefined if they can. */
export const whyNoHosts = reason();

function reason(): string | undefined {
  if (process.platform !== 'linux') return 'hosts are network namespaces of Linux';
  if (process.getuid?.() !== 0) return 'only root can make network namespaces';
  const missing = needed.filter((path) => !existsSync(path));
  return missing.length === 0 ? undefined : `${missing.join(', ')} is not there: apt-get install openssh-server util-linux`;
}

/** A machine room: every host has its own network, processes, name, accounts and SSH server, and the files of this one. */
export interface TestHosts extends AsyncDisposable {
  hosts: TestHost[];
  /** Where hosts reach this one. */
  gateway: string;
  /** The file of a private key that is let in everywhere. */
  identity: string;
  /** The configuration of a cloud of these hosts. */
  config(settings?: Record<string, unknown>, ofHost?: (host: TestHost, at: number) => Record<string, unknown>): Record<string, unknown>;
}

export interface TestHost {
  name: string;
  address: string;
  hostKey: string;
  /** Runs a command there, as root. */
  run(command: string): string;
  /** Its processes, those of its SSH server excepted. */
  processes(): string[];
  /** The files in places that people care for, with sizes and times; and the accounts. */
  files(): string;
  /** Takes the cable out, or puts it in again. */
  cable(isIn: boolean): void;
  /** Its SSH server starts anew, with another host key or its own. Every session ends. */
  restartSsh(key: 'another' | 'own'): Promise<void>;
}

/** The account of an ordinary user on each host. */
export const ordinaryUser = 'tester';
/** A folder of each host that is its own. */
export const ownFolder = '/srv';
/** All that a host does not share with this one. */
const ownFolders = [ownFolder, '/root', '/home', '/opt', '/var/tmp', '/run'];

let rooms = 0;

export async function openHosts(count: number): Promise<TestHosts> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-hosts-'));
  const room = `${process.pid % 4000}${rooms++ % 10}`;
  const bridge = `plh${room}`;
  const [second, third] = [64 + (Number(room) % 128), Math.floor(Number(room) / 128) % 256];
  const network = `10.${second}.${third}`;
  const client = keyPairOf(randomBytes(32));
  const identity = join(folder, 'identity');
  await writeFile(identity, client.privateKey, { mode: 0o600 });
  await writeFile(join(folder, 'authorized_keys'), `${client.publicKey}\n`, { mode: 0o644 });
  await writeAccounts(folder);
  ip(`link add ${bridge} type bridge`, `addr add ${network}.1/24 dev ${bridge}`, `link set ${bridge} up`);
  const begun = await Promise.all(Array.from({ length: count }, (_, at) => startHost({ folder, room, bridge, network, at })));
  const hosts = begun.map(({ host }) => host);
  return {
    hosts,
    gateway: `${network}.1`,
    identity,
    config: (settings = {}, ofHost = () => ({})) => ({
      identity,
      directory: join(ownFolder, 'paceline'),
      hosts: Object.fromEntries(hosts.map((host, at) => [host.name, { host: host.address, hostKey: host.hostKey, ...ofHost(host, at) }])),
      ...settings,
    }),
    async [Symbol.asyncDispose]() {
      await Promise.all(begun.map((each) => each.end()));
      ip(`link delete ${bridge}`);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Place {
  folder: string;
  room: string;
  bridge: string;
  network: string;
  at: number;
}

async function startHost({ folder, room, bridge, network, at }: Place): Promise<{ host: TestHost; end(): Promise<void> }> {
  const name = `host-${at + 1}`;
  const space = `plh${room}-${at}`;
  const address = `${network}.${at + 10}`;
  const own = join(folder, name);
  const key = keyPairOf(randomBytes(32));
  await mkdir(own, { mode: 0o755 });
  await writeFile(join(own, 'host-key'), key.privateKey, { mode: 0o600 });
  await writeFile(join(own, 'sshd_config'), sshdConfig(folder, own, address));
  ip(
    `netns add ${space}`,
    `link add ${space} type veth peer name eth0 netns ${space}`,
    `link set ${space} master ${bridge} up`,
    `-n ${space} addr add ${address}/24 dev eth0`,
    `-n ${space} link set eth0 up`,
    `-n ${space} link set lo up`,
  );
  const child = spawn(
    'ip',
    ['netns', 'exec', space, 'unshare', '--mount', '--uts', '--pid', '--fork', '--kill-child', 'sh', '-c', hostProgram, name, folder, own],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await until(`the SSH server of ${name}`, () => existsSync(join(own, 'ready')) && answers(space, address));
  const inside = (...command: string[]): string =>
    execFileSync('nsenter', ['-t', pidOf(child), '--mount', '--uts', '--net', '--pid', ...command], {
      encoding: 'utf8',
      cwd: '/',
      maxBuffer: 64 * 1024 * 1024,
    });
  const host: TestHost = {
    name,
    address,
    hostKey: key.publicKey,
    run: (command) => inside('sh', '-c', command),
    processes: () =>
      inside('ps', '-eo', 'pid=,args=')
        .split('\n')
        .filter((line) => line !== '' && !/sshd|sleep 1000000|ps -eo|\bsh -c mount/.test(line))
        .map((line) => line.trim()),
    files: () =>
      inside(
        'sh',
        '-c',
        `find ${ownFolders.join(' ')} /etc/hosts /etc/debian_version -printf '%p %s %T@ %m %u\\n' | grep -v '^${ownFolder} \\|^/var/tmp ' | sort; cat /etc/passwd /etc/group`,
      ),
    cable: (isIn) => ip(`link set ${space} ${isIn ? 'up' : 'down'}`),
    async restartSsh(which) {
      const { privateKey } = which === 'own' ? key : keyPairOf(randomBytes(32));
      await writeFile(join(own, 'host-key'), privateKey, { mode: 0o600 });
      inside('sh', '-c', 'kill $(pgrep sshd); while pgrep sshd; do sleep 0.05; done');
      inside('/usr/sbin/sshd', '-f', join(own, 'sshd_config'), '-E', join(own, 'log'));
    },
  };
  return {
    host,
    async end() {
      await stop(child);
      ip(`netns delete ${space}`);
    },
  };
}

/** What the first process of a host does: `$0` is its name, then where things lie. */
const hostProgram = `
mount --make-rprivate / && mount -t proc proc /proc && mount -t cgroup2 cgroup2 /sys/fs/cgroup
for folder in ${ownFolders.join(' ')}; do mount -t tmpfs tmpfs $folder; done
chmod 1777 /var/tmp; mkdir /run/sshd
for file in passwd group shadow; do mount --bind "$1/$file" /etc/$file; done
hostname "$0"
/usr/sbin/sshd -D -f "$2/sshd_config" -E "$2/log" &
: >"$2/ready"
while :; do sleep 1000000 & wait $!; done
`;

function sshdConfig(folder: string, own: string, address: string): string {
  return `${[
    'Port 22',
    `ListenAddress ${address}`,
    `HostKey ${join(own, 'host-key')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'PasswordAuthentication no',
    'UsePAM no',
    'MaxStartups 100',
  ].join('\n')}\n`;
}

/** The accounts of this host, with one more; none of them is locked. */
async function writeAccounts(folder: string): Promise<void> {
  for (const [name, line] of [
    ['passwd', `${ordinaryUser}:x:4243:4243::/tmp:/bin/sh`],
    ['group', `${ordinaryUser}:x:4243:`],
    ['shadow', `${ordinaryUser}:*:1::::::`],
  ] as const) {
    const text = await readFile(join('/etc', name), 'utf8');
    const open = name === 'shadow' ? text.replace(/^root:[^:]*/m, 'root:*') : text;
    await writeFile(join(folder, name), `${open}${line}\n`, { mode: name === 'shadow' ? 0o600 : 0o644 });
  }
  execFileSync('chmod', ['755', folder]);
}

function pidOf({ pid }: ChildProcess): string {
  const [child] = execFileSync('cat', [`/proc/${pid}/task/${pid}/children`], { encoding: 'utf8' }).split(' ');
  if (child === undefined || child === '') throw new Error('the host is off');
  return child;
}

function answers(space: string, address: string): boolean {
  try {
    execFileSync('ip', ['netns', 'exec', space, 'sh', '-c', `ss -Hltn src ${address}:22 | grep -q .`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function ip(...commands: string[]): void {
  for (const command of commands) execFileSync('ip', command.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] });
}
