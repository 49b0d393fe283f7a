import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AgentConfig } from './config.ts';

/** Where everything lies: the folders that recipes know from SlipStream, and our own below `/var/lib/paceline`. */
export interface Paths {
  scripts: string;
  cwd: string;
  reports: string;
  bin: string;
  sbin: string;
  /** Only for us: key, state, results of steps, cached scripts. */
  state: string;
  steps: string;
  cache: string;
  spool: string;
  socket: string;
}

/** A Unix socket's path has at most 107 bytes on Linux and 103 on macOS. */
const longestSocket = 100;

export function pathsOf({ root, socket }: Pick<AgentConfig, 'root' | 'socket'>): Paths {
  const below = (path: string): string => join(root || '/', path);
  const own = (name: string): string => below(`var/lib/paceline/${name}`);
  return {
    scripts: below('var/lib/slipstream'),
    cwd: below('var/tmp/slipstream'),
    reports: below('var/log/slipstream/client'),
    bin: below('opt/slipstream/client/bin'),
    sbin: below('opt/slipstream/client/sbin'),
    state: own(''),
    steps: own('steps'),
    cache: own('scripts'),
    spool: own('spool'),
    socket: socket ?? shortSocket(below('run/paceline/agent.sock')),
  };
}

function shortSocket(path: string): string {
  if (Buffer.byteLength(path) <= longestSocket) return path;
  return join(tmpdir(), `paceline-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`, 'agent.sock');
}

export function makeFolders(paths: Paths): void {
  for (const open of [paths.scripts, paths.cwd, paths.reports, paths.bin, paths.sbin]) makeFolder(open, 0o755);
  for (const own of [paths.state, paths.steps, paths.cache, paths.spool]) makeFolder(own, 0o700);
  mkdirSync(dirname(paths.socket), { recursive: true, mode: 0o700 });
}

function makeFolder(folder: string, mode: number): void {
  const before = process.umask(0o022);
  try {
    mkdirSync(folder, { recursive: true });
  } finally {
    process.umask(before);
  }
  chmodSync(folder, mode);
}
