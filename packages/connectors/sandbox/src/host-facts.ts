import { access, constants, mkdtemp, readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { asMachineRoot, runCommand, standardPath } from './command.ts';
import { removeTrees } from './garbage.ts';
import type { Site } from './site.ts';

/** What there is on this host, as far as machines need it. */
export interface HostFacts {
  platform: string;
  privileged: boolean;
  /** Programs that were not found. */
  missing: string[];
  /** Whether this user has a range of subordinate users and groups, which only root does not need. */
  subordinates: boolean;
  /** Why user namespaces are not for everybody here, if a setting of the kernel says so. */
  restriction?: string;
  /** Whether this user may make the interface that leads to the internet. */
  tunnels: boolean;
  /** Whether what machines may call can be limited. */
  filters: boolean;
  /** Parts of the system that are file systems of their own: they would be missing in machines of the host's files. */
  separate: string[];
  /** What a trial of all that is needed complained of. Not tried when something is missing already. */
  trial?: string;
}

/** Without these there are machines, but less of them. */
export const optional: readonly string[] = ['cloud-init', 'slirp4netns', 'nft'];

const required = ['unshare', 'nsenter', 'setpriv', 'mount', 'pivot_root', 'ip', 'python3'];

/** Looks a program up in the standard places. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of standardPath.split(delimiter)) {
    const path = join(folder, name);
    if (await allows(path, constants.X_OK)) {
      return path;
    }
  }
  return undefined;
}

export async function gatherFacts(site: Site): Promise<HostFacts> {
  const wanted = [...required, ...(site.privileged ? ['cloud-init'] : ['newuidmap', 'newgidmap']), 'slirp4netns', 'nft'];
  const places = await Promise.all(wanted.map(findProgram));
  const missing = wanted.filter((_, at) => places[at] === undefined);
  const subordinates = site.privileged || (await hasSubordinates());
  const restriction = site.privileged ? undefined : await findRestriction();
  const ready = process.platform === 'linux' && subordinates && missing.every((name) => optional.includes(name));
  const trial = ready ? await tryMachine(site) : undefined;
  const filters = ready && trial === undefined && !missing.includes('nft') && (await tryFilter(site));
  return {
    platform: process.platform,
    privileged: site.privileged,
    missing,
    subordinates,
    ...(restriction !== undefined && { restriction }),
    tunnels: await allows('/dev/net/tun', constants.R_OK | constants.W_OK),
    filters,
    separate: site.privileged ? await separateParts() : [],
    ...(trial !== undefined && { trial }),
  };
}

async function allows(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function hasSubordinates(): Promise<boolean> {
  const { username, uid } = userInfo();
  const texts = await Promise.all(['/etc/subuid', '/etc/subgid'].map((path) => unlessMissing(readFile(path, 'utf8'))));
  return texts.every((text) => (text ?? '').split('\n').some((line) => line.startsWith(`${username}:`) || line.startsWith(`${uid}:`)));
}

async function findRestriction(): Promise<string | undefined> {
  const [allowed, restricted] = await Promise.all(
    ['kernel/unprivileged_userns_clone', 'kernel/apparmor_restrict_unprivileged_userns'].map(async (name) =>
      (await unlessMissing(readFile(join('/proc/sys', name), 'utf8')))?.trim(),
    ),
  );
  if (allowed === '0') {
    return 'kernel.unprivileged_userns_clone=1';
  }
  return restricted === '1' ? 'kernel.apparmor_restrict_unprivileged_userns=0' : undefined;
}

async function separateParts(): Promise<string[]> {
  const parts = ['/etc', '/usr', '/var', '/opt'];
  const [root, ...found] = await Promise.all(['/', ...parts].map((path) => unlessMissing(stat(path))));
  return parts.filter((_, at) => found[at] !== undefined && found[at].dev !== root?.dev);
}

/** Makes an overlay and a network where the machines would be, in namespaces that are gone afterwards. */
async function tryMachine(site: Site): Promise<string | undefined> {
  const folder = await mkdtemp(join(await nearest(site.root), '.paceline-probe-'));
  const script = [
    'cd "$1"',
    'mkdir lower upper work root',
    `mount -t overlay overlay -o "lowerdir=lower,upperdir=upper,workdir=work${site.privileged ? '' : ',userxattr'}" root`,
    'ip link add br0 type bridge',
    'ip link add m0 type veth peer name eth0',
  ].join(' && ');
  try {
    await runCommand(asMachineRoot(site, ['sh', '-c', script, 'sh', folder], ['--mount', '--net', '--pid', '--fork', '--mount-proc']));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await removeTrees(site, [folder]).catch(() => undefined);
  }
}

async function tryFilter(site: Site): Promise<boolean> {
  const rules = 'table bridge a { chain b { type filter hook forward priority 0; tcp dport 1 drop; }; }';
  return runCommand(asMachineRoot(site, ['nft', rules], ['--net'])).then(
    () => true,
    () => false,
  );
}

/** The root, or the directory in which it would be made. */
async function nearest(path: string): Promise<string> {
  const found = await unlessMissing(stat(path));
  return found !== undefined || path === '/' ? path : nearest(dirname(path));
}
