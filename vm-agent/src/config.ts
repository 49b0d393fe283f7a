import { readFileSync } from 'node:fs';
import { writeDurably } from './durable.ts';

/** What an agent is told when its machine starts. */
export interface AgentConfig {
  /** Where the engine is, such as `https://paceline.example:8443`; may have a path. */
  url: string;
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

export function parseConfig(text: string): AgentConfig {
  const given = JSON.parse(text) as Record<string, unknown>;
  if (typeof given !== 'object' || given === null) throw new ConfigError('it is not a JSON object');
  const string = (name: string): string | undefined => {
    const value = given[name];
    if (value !== undefined && typeof value !== 'string') throw new ConfigError(`"${name}" is not a string`);
    return value;
  };
  const needed = (name: string): string => {
    const value = string(name);
    if (!value) throw new ConfigError(`"${name}" is missing`);
    return value;
  };
  const url = needed('url').replace(/\/+$/, '');
  if (!/^https?:$/.test(new URL(url).protocol)) throw new ConfigError('"url" is neither http nor https');
  const expires = string('expires');
  if (expires !== undefined && Number.isNaN(Date.parse(expires))) throw new ConfigError('"expires" is not a time');
  const packages = string('packages') ?? 'install';
  if (packages !== 'install' && packages !== 'check') throw new ConfigError('"packages" is neither "install" nor "check"');
  const env = (given['env'] ?? {}) as Record<string, string>;
  if (typeof env !== 'object' || Object.values(env).some((value) => typeof value !== 'string'))
    throw new ConfigError('"env" is not an object of strings');
  return {
    url,
    run: needed('run'),
    instance: needed('instance'),
    root: (string('root') ?? '').replace(/\/+$/, ''),
    packages,
    env,
    ...optional('pin', string('pin')),
    ...optional('secret', string('secret')),
    ...optional('expires', expires),
    ...optional('socket', string('socket')),
    ...optional('path', string('path')),
  };
}

function optional<K extends string>(name: K, value: string | undefined): { [P in K]?: string } {
  return (value ? { [name]: value } : {}) as { [P in K]?: string };
}

/** The secret is spent: it need not lie around. Best effort, the file may not be ours to write. */
export function forgetSecret(file: string): void {
  try {
    const { secret: _, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeDurably(file, `${JSON.stringify(rest, null, 2)}\n`);
  } catch {}
}
