import { chmod, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, unlessMissing } from '@paceline/connector-host';
import { unmountBelow } from './mounts.ts';

/**
 * Removes a directory, with the entries named in `last` after all others. One that is not there is removed. What is mounted in it is
 * unmounted before.
 * @throws conflict when something stays mounted; nothing is removed then
 */
export async function removeTree(directory: string, last: readonly string[]): Promise<void> {
  await unmountBelow(directory);
  const entries = await unlessMissing(readdir(directory));
  if (entries === undefined) {
    return;
  }
  await Promise.all(entries.filter((name) => !last.includes(name)).map((name) => removeEntry(join(directory, name))));
  for (const name of last) {
    await rm(join(directory, name), { force: true });
  }
  await unlessMissing(rmdir(directory));
}

async function removeEntry(path: string): Promise<void> {
  // Tried again where somebody still writes: a directory that was empty is not when it is to go.
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 };
  try {
    await rm(path, options);
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM')) {
      throw error;
    }
    // Some programs write-protect what they unpack (Go its module cache). In a directory that is really foreign this changes nothing.
    await openUp(path).catch(() => undefined);
    await rm(path, options);
  }
}

async function openUp(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  const entries = await readdir(directory, { withFileTypes: true });
  await Promise.all(entries.filter((entry) => entry.isDirectory()).map((entry) => openUp(join(directory, entry.name))));
}
