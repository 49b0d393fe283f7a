import { readFileSync } from 'node:fs';
import { writeDurably } from './durable.ts';
import { tried } from './tried.ts';

/** What an agent is told when its machine starts. */
export interface AgentConfig {
  /** Where the engine is, such as `https://paceline.example:8443`; may have a path. */
  url: string;
  /** The Unix socket behind which the engine is, whatever `url` says. Only root, or the agent's own account, can have made it. */
  tunnel?: string;
  /** The engine's public key as curl writes it: `sha256//BASE64`. Then no certificate authority is asked. */
  pin?: string;
  run: string;
  /** Such as `apache.1`, or `machine` in a run of a single component. */
  instance: string;
  /** The one-time join secret; gone from the file once it is spent. */
  secret?: string;
  /** ISO time at which the run's life ends; without contact to the engine the agent stops everything then. */
  expires?: string;
  /** Prefix of all paths: '' on a machine of our own, the instance's own directory on the `local` connector. */
  root: string;
  /** `check` never installs anything: the software of this machine is not ours. */
  packages: 'install' | 'check';
  /** Given to every script. */
  env: Record<string, string>;
  /** Another path of the command socket, for roots that are too long for one. */
  socket?: string;
  /** Put before the PATH of scripts. */
  path?: string;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export function readConfig(file: string): AgentConfig {
  try {
    return parseConfig(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigError(`Cannot use the config ${file}: ${(error as Error).message}`);
  }
}

/** Everything that may be in a config; the first three must be. */
const texts = ['url', 'run', 'instance', 'root', 'packages', 'secret', 'pin', 'expires', 'tunnel', 'socket', 'path'] as const;

export function parseConfig(text: string): AgentConfig {
  const given = JSON.parse(text) as Partial<AgentConfig>;
  const config = { root: '', packages: 'install', env: given.env ?? {} } as AgentConfig;
  for (const [index, name] of texts.entries()) {
    const value: unknown = given[name];
    if (typeof value === 'string' && (value || index > 2)) config[name] = value as never;
    else if (value !== undefined || index < 3) throw new ConfigError(`"${name}" is missing or no string`);
  }
  const { url, root, expires, packages, env } = config;
  const wrong =
    (!/^https?:\/\//.test(url) && 'url') ||
    (!['install', 'check'].includes(packages) && 'packages') ||
    (expires !== undefined && Number.isNaN(Date.parse(expires)) && 'expires') ||
    (Object.values(env).some((value) => typeof value !== 'string') && 'env');
  if (wrong) throw new ConfigError(`"${wrong}" is not what it should be`);
  return { ...config, url: url.replace(/\/+$/, ''), root: root.replace(/\/+$/, '') };
}

/** The secret is spent: it need not lie around. Best effort, the file may not be ours to write. */
export function forgetSecret(file: string): void {
  tried(() => {
    const { secret: _, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeDurably(file, `${JSON.stringify(rest, null, 2)}\n`);
  });
}
