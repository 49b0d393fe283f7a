import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { offerCloud, withdrawCloud } from './clouds.ts';
import { installPackages } from './packages.ts';
import { run, step, succeeds, until } from './shell.ts';

const root = process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed';
const home = join(root, 'lxd');
const directory = join(home, 'dir');
const socket = join(directory, 'unix.socket');
const env = { LXD_DIR: directory, LXD_CONF: join(home, 'client') };
const pidFile = join(home, 'lxd.pid');
const settingFile = join(home, 'max_user_instances');

const bridge = 'paceline-lxd';
const nameserver = '10.86.7.1';
const pool = 'paceline';
/** Machines install packages, by way of this host. Its name server is theirs, too. */
const bridgeSettings = [`ipv4.address=${nameserver}/24`, 'ipv4.nat=true', 'ipv6.address=none'];
const alias = 'debian-12';
const https = '127.0.0.1:18443';

const packages: Record<string, string> = {
  lxd: 'lxd',
  lxc: 'lxd-client',
  mksquashfs: 'squashfs-tools',
  setfattr: 'attr',
  setfacl: 'acl',
  rsync: 'rsync',
  'mkfs.btrfs': 'btrfs-progs',
  dnsmasq: 'dnsmasq-base',
  nft: 'nftables',
  iptables: 'iptables',
  newuidmap: 'uidmap',
  mmdebstrap: 'mmdebstrap',
  curl: 'curl',
};

/** Unprivileged containers share one user, whose inotify instances are counted together. */
const inotify = { file: '/proc/sys/fs/inotify/max_user_instances', wanted: 2048 };

/** LXD from the packages of Debian, with everything that it makes in a directory of its own. */
export const lxd = {
  async up(): Promise<void> {
    await mkdir(home, { recursive: true });
    // The users of containers have to come through to their files.
    await chmod(home, 0o711);
    await installPackages(packages);
    await raiseInotify();
    await startDaemon();
    await configure();
    await provideImage();
    console.log(`LXD answers at ${socket}\nand at https://${https}; the image is ${alias}.`);
    await offerCloud('lxd', { connector: 'lxd', socket, image: alias });
  },

  async remove(): Promise<void> {
    if (!existsSync(home)) return console.log('There is none.');
    if (existsSync(directory)) {
      // Only LXD itself can take down what it made.
      await startDaemon();
      await step('Removing what is in it', empty);
      await step('Stopping LXD', stopDaemon);
    }
    await releaseMounts();
    await removeEmptyTable();
    await restoreInotify();
    await withdrawCloud('lxd');
    await rm(home, { recursive: true });
    console.log(`Removed, but for the packages: apt-get remove ${[...new Set(Object.values(packages))].slice(0, 2).join(' ')}`);
  },
};

async function raiseInotify(): Promise<void> {
  const present = (await readFile(inotify.file, 'utf8')).trim();
  if (Number(present) >= inotify.wanted) return;
  await writeFile(settingFile, present);
  await writeFile(inotify.file, String(inotify.wanted));
}

async function restoreInotify(): Promise<void> {
  if (existsSync(settingFile)) await writeFile(inotify.file, await readFile(settingFile));
}

function lxc(...args: string[]): Promise<string> {
  return run('lxc', args, { env, limit: 300_000 });
}

function has(...args: string[]): Promise<boolean> {
  return succeeds('lxc', args, { env });
}

function answers(): Promise<boolean> {
  return succeeds('lxd', ['waitready', '--timeout', '1'], { env });
}

async function startDaemon(): Promise<void> {
  if (await answers()) return;
  await mkdir(directory, { recursive: true });
  await step('Starting LXD', async () => {
    const log = openSync(join(home, 'lxd.log'), 'a');
    const child = spawn('lxd', ['--group', 'root'], {
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
    });
    child.on('error', (error) => console.error(error.message));
    child.unref();
    await writeFile(pidFile, String(child.pid));
    await until('LXD to answer', answers);
  });
}

async function configure(): Promise<void> {
  await lxc('config', 'set', 'images.auto_update_interval', '0');
  await lxc('config', 'set', 'core.https_address', https);
  if (!(await has('storage', 'show', pool))) await step('Making the pool', () => lxc('storage', 'create', pool, 'btrfs', 'size=12GiB'));
  if (await has('network', 'show', bridge)) await lxc('network', 'set', bridge, ...bridgeSettings);
  else await step('Making the bridge', () => lxc('network', 'create', bridge, ...bridgeSettings));
  const devices = await lxc('profile', 'device', 'list', 'default');
  if (!devices.includes('root')) await lxc('profile', 'device', 'add', 'default', 'root', 'disk', 'path=/', `pool=${pool}`);
  if (!devices.includes('eth0')) await lxc('profile', 'device', 'add', 'default', 'eth0', 'nic', 'name=eth0', `network=${bridge}`);
}

/** Builds the image when its recipe has changed, and imports it when it is not there. */
async function provideImage(): Promise<void> {
  const recipe = join(import.meta.dirname, 'lxd-image.sh');
  const node = await realpath(process.execPath);
  const version = createHash('sha256').update(readFileSync(recipe)).update(process.version).update(nameserver).digest('hex').slice(0, 16);
  const archive = join(home, 'images', `${alias}-${version}.tar`);
  await mkdir(join(home, 'images'), { recursive: true });
  if (!existsSync(archive)) {
    await step('Building the image (takes a minute or two)', () => run(recipe, [archive, node, nameserver], { limit: 900_000 }));
  }
  const noted = join(home, 'imported');
  const imported = existsSync(noted) ? await readFile(noted, 'utf8') : '';
  const present = await has('image', 'show', alias);
  if (present && imported === version) return;
  if (present) await lxc('image', 'delete', alias);
  await step('Importing the image', () => lxc('image', 'import', archive, '--alias', alias));
  await writeFile(noted, version);
}

async function empty(): Promise<void> {
  const names = async (...args: string[]): Promise<string[]> => (await lxc(...args)).split('\n').filter((line) => line !== '');
  const projects = (await names('project', 'list', '--format', 'csv')).map((line) => line.replace(/( \(current\))?,.*/, ''));
  for (const project of projects) {
    const own = ['--project', project];
    for (const name of await names('list', '--format', 'csv', '--columns', 'n', ...own)) await lxc('delete', '--force', name, ...own);
    if (project !== 'default') await lxc('project', 'delete', project);
  }
  for (const fingerprint of await names('image', 'list', '--format', 'csv', '--columns', 'f')) await lxc('image', 'delete', fingerprint);
  for (const device of ['root', 'eth0']) await succeeds('lxc', ['profile', 'device', 'remove', 'default', device], { env });
  if (await has('network', 'show', bridge)) await lxc('network', 'delete', bridge);
  if (await has('storage', 'show', pool)) await lxc('storage', 'delete', pool);
}

async function stopDaemon(): Promise<void> {
  await run('lxd', ['shutdown', '--timeout', '60'], { env });
  const pid = Number(await readFile(pidFile, 'utf8'));
  await until('LXD to end', async () => !(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).startsWith('lxd'));
}

/** LXD leaves its table of the firewall behind. With something in it, it is that of another LXD. */
async function removeEmptyTable(): Promise<void> {
  const table = ['table', 'inet', 'lxd'];
  const text = await run('nft', ['list', ...table]).catch(() => undefined);
  if (text !== undefined && !text.includes('chain')) await run('nft', ['delete', ...table]);
}

/** LXD leaves some of its own mounts behind. What cannot be taken down keeps the directory from being removed. */
async function releaseMounts(): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${directory}/`));
  for (const path of mounts.toReversed()) await run('umount', [path]);
}
