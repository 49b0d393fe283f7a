import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';

const run = promisify(execFile);

/** For one call of umount, in milliseconds: a network file system may not answer. */
const patienceMs = 10_000;

/** What is mounted at or below a directory, what was mounted last first. @param text `/proc/self/mountinfo` */
export function mountsBelow(text: string, directory: string): string[] {
  const targets = text.split('\n').map((line) => unescape(line.split(' ')[4] ?? ''));
  return targets.filter((target) => target === directory || target.startsWith(`${directory}/`)).toReversed();
}

/** The kernel writes white space and backslashes as octal numbers of bytes. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/**
 * Unmounts what is mounted below a directory that is to be removed: what is there is not ours to delete.
 * @param umount the program that does it
 * @throws conflict when something stays mounted
 */
export async function unmountBelow(directory: string, umount = 'umount'): Promise<void> {
  const path = await unlessMissing(realpath(directory));
  if (path === undefined) return;
  for (const target of await mounted(path)) {
    const unmount = (...options: string[]): Promise<unknown> => run(umount, [...options, '--', target], { timeout: patienceMs });
    // What is busy goes out of sight at once.
    await unmount()
      .catch(() => unmount('--lazy'))
      .catch(() => undefined);
  }
  const [left] = await mounted(path);
  if (left !== undefined) {
    throw new ConnectorError('conflict', `${left} cannot be unmounted, so that nothing of ${path} is removed`, {
      hint: 'A script has mounted it: unmount it as root, then terminate again.',
    });
  }
}

/** Only Linux tells. */
async function mounted(path: string): Promise<string[]> {
  return mountsBelow((await unlessMissing(readFile('/proc/self/mountinfo', 'utf8'))) ?? '', path);
}
