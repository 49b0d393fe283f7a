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
  const state = below('var/lib/paceline');
  return {
    scripts: below('var/lib/slipstream'),
    cwd: below('var/tmp/slipstream'),
    reports: below('var/log/slipstream/client'),
    bin: below('opt/slipstream/client/bin'),
    sbin: below('opt/slipstream/client/sbin'),
    state,
    steps: join(state, 'steps'),
    cache: join(state, 'scripts'),
    spool: join(state, 'spool'),
    socket: socket ?? shortSocket(below('run/paceline/agent.sock')),
  };
}

function shortSocket(path: string): string {
  if (Buffer.byteLength(path) <= longestSocket) return path;
  return join(tmpdir(), `paceline-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`, 'agent.sock');
}

export function makeFolders(paths: Paths): void {
  const { scripts, cwd, reports, bin, sbin, state, steps, cache, spool, socket } = paths;
  for (const folder of [scripts, cwd, reports, bin, sbin, state, steps, cache, spool, dirname(socket)]) {
    mkdirSync(folder, { recursive: true });
    // What the socket lies in may be anybody's.
    if (folder !== dirname(socket)) chmodSync(folder, folder.startsWith(state) ? 0o700 : 0o755);
  }
}
