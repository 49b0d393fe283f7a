import { userInfo } from 'node:os';
import type { AgentConfig } from '../config.ts';
import type { Paths } from '../paths.ts';
import { tried } from '../tried.ts';

/** What scripts may see of the agent's own environment. The rest may hold what is none of their business. */
const passed = /^(HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|(http|https|ftp|no|all)_proxy|(HTTP|HTTPS|FTP|NO|ALL)_PROXY)$/;

export function nodeOf(instance: string): string {
  return instance.replace(/\.\d+$/, '');
}

/** These two, together, mark every process that comes from a script of this instance. */
export function marksOf({ run }: AgentConfig, { socket }: Paths): string[] {
  return [`PACELINE_RUN=${run}`, `PACELINE_SOCKET=${socket}`];
}

export function searchPath({ path }: AgentConfig, { bin, sbin }: Paths): string {
  const system = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  return `${path ? `${path}:` : ''}${system}:${bin}:${sbin}`;
}

/** The environment of every script, before the additions of its step. */
export function baseEnvironment(config: AgentConfig, paths: Paths, own: NodeJS.ProcessEnv): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) if (value !== undefined && passed.test(name)) env[name] = value;
  env['HOME'] ||= tried(() => userInfo().homedir) ?? '/';
  return {
    ...env,
    PATH: searchPath(config, paths),
    PACELINE_RUN: config.run,
    PACELINE_INSTANCE: config.instance,
    PACELINE_NODE: nodeOf(config.instance),
    PACELINE_SOCKET: paths.socket,
    PACELINE_REPORT_DIR: paths.reports,
    SLIPSTREAM_DIID: config.run,
    SLIPSTREAM_NODE_INSTANCE_NAME: config.instance,
    SLIPSTREAM_SERVICEURL: config.url,
  };
}
