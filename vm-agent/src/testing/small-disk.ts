import { execFileSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

/**
 * Mounts an empty disk on a folder, or skips the test where that is not possible.
 * @param size as `mount` takes it, such as `1m`
 * @returns how to unmount it
 */
export function mountSmallDisk(context: TestContext, folder: string, size: string): () => void {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    return context.skip(`no small disk can be mounted here (needs root): ${(error as Error).message.trim()}`);
  }
  return () => void execFileSync('umount', ['-l', folder]);
}

/** Leaves room for so many blocks; a small file takes one. */
export function fillDisk(folder: string, leave: number): void {
  const { bfree, bsize } = statfsSync(folder);
  writeFileSync(join(folder, 'filling'), Buffer.alloc((bfree - leave) * bsize));
}
