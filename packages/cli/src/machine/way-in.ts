import type { WayInAnswer } from '@paceline/api';
import { PacelineError } from '@paceline/model';

export interface Surroundings {
  /** The name of this host. */
  hostname: string;
  /** The shell of the user. */
  shell: string;
  /** What this process has. */
  env: Readonly<Record<string, string | undefined>>;
  /** A person is at the keyboard. */
  isTerminal: boolean;
  /** Whether a process is in another user namespace than we are. */
  hasOwnUsers(pid: number): boolean;
}

/** A program to start, and the keys to write down for it before. */
export interface Start {
  program: string;
  args: string[];
  cwd?: string;
  /** All that it is given. */
  env: Readonly<Record<string, string | undefined>>;
  /** The lines of the known_hosts file, for which `@known-hosts@` stands in the arguments. */
  knownHosts?: string[];
}

const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Where machines have the `ss-*` commands. */
const commands = '/opt/slipstream/client/bin';

/**
 * What to start for a shell, or a command, on a machine.
 * @throws PACELINE_CONFLICT when the machine is part of another host
 */
export function startOf({ on, way }: WayInAnswer, command: readonly string[], at: Surroundings): Start {
  const isHere = on === at.hostname;
  if (way.kind === 'ssh' && (isHere || !isLoopback(way.host))) return overSsh(way, command, isHere, at);
  if (way.kind === 'ssh' || !isHere) {
    throw new PacelineError('PACELINE_CONFLICT', `The machine is part of the host ${on}, and this is ${at.hostname}`, {
      hint: `Log in to ${on} and run the command there.`,
    });
  }
  if (way.kind === 'directory') {
    const [program = at.shell, ...args] = command;
    return { program, args, cwd: way.directory, env: { ...at.env, ...ofMachines(way.env, at.env['PATH'] ?? '') } };
  }
  const shell = ['/bin/sh', ...(command.length === 0 ? ['-l'] : ['-c', 'cd; exec "$@"', 'sh', ...command])];
  return {
    program: 'nsenter',
    args: [
      `--target=${way.pid}`,
      ...(at.hasOwnUsers(way.pid) ? ['--user'] : []),
      ...['mount', 'uts', 'ipc', 'net', 'pid', 'cgroup', 'root', 'wd'].map((name) => `--${name}`),
      ...shell,
    ],
    // What is started is a program of the machine: it may be anything, and sees nothing of ours.
    env: { HOME: '/root', PATH: `${commands}:${standardPath}`, LANG: 'C.UTF-8', TERM: at.env['TERM'] ?? 'dumb' },
  };
}

/** Leads to something of the engine's host there, and to something else here. */
function isLoopback(host: string): boolean {
  return /^127\.|^(localhost|::1)$/.test(host);
}

function overSsh(
  { host, port, user, hostKeys, identity, enter = [] }: Extract<WayInAnswer['way'], { kind: 'ssh' }>,
  command: readonly string[],
  isHere: boolean,
  { isTerminal, env }: Surroundings,
): Start {
  // Neither may be taken for an option.
  if (!/^[\w.:][\w.:-]*$/.test(host) || !/^\w[\w.-]*$/.test(user))
    throw new PacelineError('PACELINE_CLOUD_FAILED', `${user}@${host} is no address`);
  const remote = [...enter, ...command].map(quoted).join(' ');
  const known = hostKeys.length > 0 && ['UserKnownHostsFile=@known-hosts@', 'GlobalKnownHostsFile=none', 'StrictHostKeyChecking=yes'];
  return {
    program: 'ssh',
    args: [
      ...['-p', String(port), '-l', user],
      ...(known === false ? [] : known.flatMap((option) => ['-o', option])),
      ...(identity !== undefined && isHere ? ['-i', identity] : []),
      ...(isTerminal && command.length === 0 ? ['-t'] : []),
      host,
      ...(remote === '' ? [] : [remote]),
    ],
    env,
    ...(known === false ? {} : { knownHosts: hostKeys.map((key) => `${port === 22 ? host : `[${host}]:${port}`} ${key}`) }),
  };
}

/** A server says where a machine is, not what else our shell does. */
function ofMachines(env: Record<string, string>, path: string): Record<string, string> {
  const own = Object.fromEntries(Object.entries(env).filter(([name]) => /^(PACELINE_[A-Z_]+|HOME|TMPDIR)$/.test(name)));
  return { ...own, PATH: `${env['PACELINE_ROOT'] ?? ''}${commands}:${path}` };
}

function quoted(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
