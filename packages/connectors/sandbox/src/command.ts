import { execFile } from 'node:child_process';
import { ConnectorError } from '@paceline/engine/connector';
import type { Site } from './site.ts';

/** Where system programs are, whatever the PATH of the engine says. */
export const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const limitMs = 600_000;

/** The environment of everything that we start: none of the engine's secrets, none of its settings. */
export const cleanEnvironment = { PATH: standardPath, LANG: 'C.UTF-8' };

/** The command by which this user is root among the users of machines, so that it can write and remove their files. */
export function asMachineRoot(site: Site, command: readonly string[], more: readonly string[] = []): string[] {
  const namespaces = [...(site.privileged ? [] : ['--user', '--map-root-user', '--map-auto']), ...more];
  return namespaces.length === 0 ? [...command] : ['unshare', ...namespaces, '--', ...command];
}

/** Runs a command to its end. @throws internal, with what the command wrote to its standard error */
export function runCommand([file = '', ...args]: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(file, args, { env: cleanEnvironment, timeout: limitMs, signal }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
      } else {
        const said = stderr.trim().split('\n').at(-1);
        reject(
          new ConnectorError('internal', `${file} failed: ${said === undefined || said === '' ? error.message : said}`, { cause: error }),
        );
      }
    });
  });
}
