import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScriptStep } from '@paceline/api/agent';
import { Backoff } from '../backoff.ts';
import type { Clock } from '../clock.ts';
import { replaceFile } from '../durable.ts';
import { type Engine, HttpError } from '../link/http.ts';
import { insist } from '../link/insist.ts';
import { attempt } from './failure.ts';
import { tried } from '../tried.ts';

/** SlipStream's name of the file: `<module>:<Label>`, lower-cased and without characters that a path may not have. */
export function scriptName(module: string, label: string): string {
  const name = `${module}:${label}`.toLowerCase().replaceAll('/', '_').replaceAll(' ', '-').replaceAll(':', '__');
  if (Buffer.byteLength(name) <= 200) return name;
  return `${Buffer.from(name)
    .toString('latin1')
    .slice(0, 120)
    .replaceAll(/[^\w.-]/g, '-')}_${sha256(name)}`;
}

export interface ScriptSource {
  engine: Engine;
  /** Folder for texts by their digest. */
  cache: string;
  clock: Clock;
  signal: AbortSignal;
}

/** The text with that digest: fetched once, checked always. Tries until the engine answers. */
export async function scriptText(digest: string, { engine, cache, clock, signal }: ScriptSource): Promise<string> {
  const file = join(cache, digest.replaceAll(/[^0-9a-zA-Z]/g, ''));
  const known = tried(() => readFileSync(file, 'utf8'));
  if (known !== undefined && sha256(known) === digest) return known;
  let wrong = 0;
  const path = `/agent/scripts/${encodeURIComponent(digest)}`;
  const fetched = async (): Promise<string> => {
    const text = await engine.text({ method: 'GET', path, signal });
    if (sha256(text) !== digest) throw new HttpError(502, `the script that arrived does not have the digest ${digest}`);
    return text;
  };
  const text = await insist(fetched, {
    backoff: new Backoff(clock),
    signal,
    final: ({ status }) => status === 404 || (status === 502 && ++wrong === 5),
  });
  // Else the next agent will fetch it again.
  tried(() => writeFileSync(file, text, { mode: 0o600 }));
  return text;
}

/** Written under another name first: a shell may still be reading the script of this name. */
export function writeScript(folder: string, step: Pick<ScriptStep, 'module' | 'label'>, text: string): string {
  const file = join(folder, scriptName(step.module, step.label));
  attempt('write the script', () => replaceFile(file, text, 0o755));
  return file;
}

/**
 * What to start for a script: what the kernel would start, by the first line. Done here because the kernel's own words for a
 * wrong first line ("not found") help nobody, and because it works where the folder is mounted `noexec`.
 * @throws an Error whose message is for people
 */
export function interpreterArgv(text: string, file: string): string[] {
  if (!text.startsWith('#!')) return ['/bin/sh', file];
  const line = text.slice(2, text.indexOf('\n') === -1 ? undefined : text.indexOf('\n'));
  if (line.endsWith('\r')) {
    throw new Error(
      `the first line, '#!${line.slice(0, -1)}', ends with a carriage return: save the script with Unix line ends (LF), not Windows ones (CRLF)`,
    );
  }
  const [, interpreter, argument] = /^[ \t]*(\S*)[ \t]*(.*?)[ \t]*$/.exec(line)!;
  if (!interpreter) return ['/bin/sh', file];
  const canRun = (): boolean => (accessSync(interpreter, constants.X_OK), statSync(interpreter).isFile());
  if (!tried(canRun)) throw new Error(`there is no interpreter '${interpreter}' on this machine (first line of the script)`);
  return argument ? [interpreter, argument, file] : [interpreter, file];
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
