import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { ConnectorError } from '@paceline/engine/connector';

/** Where system programs are, whatever the PATH of the engine says. */
const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The environment of everything that we start: none of the engine's secrets, none of its settings. */
export const cleanEnvironment = { PATH: standardPath, LANG: 'C.UTF-8' };

export const emulator = 'qemu-system-x86_64';

const limitMs = 600_000;

/** Looks a program up in the standard places. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of standardPath.split(delimiter)) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) {
      return path;
    }
  }
  return undefined;
}

/** Runs a command to its end. @throws capacity when a disk is full, internal else, with what it wrote to its standard error */
export function runCommand(file: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { env: cleanEnvironment, timeout: limitMs, signal }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const said = stderr.trim().split('\n').at(-1);
      const message = `${file} failed: ${said === undefined || said === '' ? error.message : said}`;
      const full = /no space left|disk quota exceeded/i.test(stderr);
      reject(
        new ConnectorError(full ? 'capacity' : 'internal', message, {
          cause: error,
          ...(full && { hint: 'Free some disk space or set `root` to a directory on another disk.' }),
        }),
      );
    });
  });
}
