import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { ConnectorError } from '@paceline/engine/connector';
import { environmentOf, type Config } from './config.ts';

const mostOutput = 1024 * 1024;

/** OpenTofu or Terraform. */
export interface Tool {
  /** Of the program. */
  readonly path: string;
  readonly env: Record<string, string>;
  /** Runs it to its end. @returns the end of what it wrote @throws ConnectorError when it cannot be started, or the signal ends first */
  run(args: readonly string[], signal: AbortSignal): Promise<{ code: number | null; output: string }>;
}

/** @throws ConnectorError unsupported when there is neither, auth when a secret is not there */
export function findTool(config: Config, env: NodeJS.ProcessEnv = process.env): Tool {
  const wanted = config.binary === undefined ? ['tofu', 'terraform'] : [config.binary];
  const path = wanted.map((name) => inPath(name, env['PATH'] ?? '')).find((found) => found !== undefined);
  if (path === undefined) {
    throw new ConnectorError('unsupported', `There is no ${wanted.join(' and no ')} here`, {
      hint: 'Install OpenTofu (opentofu.org) or Terraform, or set `binary` to where it is.',
    });
  }
  const given = environment(config, env);
  return { path, env: given, run: (args, signal) => run(path, given, args, signal) };
}

function environment(config: Config, env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    return environmentOf(config, env);
  } catch (cause) {
    throw new ConnectorError('auth', (cause as Error).message, { cause });
  }
}

function inPath(name: string, path: string): string | undefined {
  const candidates = isAbsolute(name) ? [name] : path.split(delimiter).map((folder) => join(folder, name));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function run(
  path: string,
  env: Record<string, string>,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'], signal });
  let output = '';
  const keep = (text: string): void => void (output = (output + text).slice(-mostOutput));
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => {
      const why = signal.aborted ? 'it was given up' : cause.message;
      reject(new ConnectorError(signal.aborted ? 'timeout' : 'unavailable', `${path} ${args.at(1) ?? ''}: ${why}`, { cause }));
    });
    child.once('close', (status) => resolve(status));
  });
  return { code, output };
}
