import { access, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';

const root = '/sys/fs/cgroup';

/** Removes the control groups of ended machines, in all hierarchies of both versions; the supervisor made them. */
export async function removeControlGroups(ids: readonly string[]): Promise<void> {
  for (const parent of [root, join(root, 'memory'), join(root, 'cpu')]) {
    await Promise.all(ids.map((id) => removeGroup(join(parent, 'paceline', id))));
    await removeGroup(join(parent, 'paceline'));
  }
}

/**
 * Gives a machine that runs other limits. What is left out stays.
 * @throws unsupported when it was started without such a limit, and so has no control group for it; capacity when it uses more by now
 */
export async function resizeControlGroups(id: string, { cpus, memoryMiB }: { cpus?: number; memoryMiB?: number }): Promise<void> {
  const quota = Math.round((cpus ?? 0) * 100_000);
  const memory = String((memoryMiB ?? 0) * 2 ** 20);
  const wanted: [path: string, text: string][][] = [];
  if (memoryMiB !== undefined)
    wanted.push([
      [`paceline/${id}/memory.max`, memory],
      [`memory/paceline/${id}/memory.limit_in_bytes`, memory],
    ]);
  if (cpus !== undefined)
    wanted.push([
      [`paceline/${id}/cpu.max`, `${quota} 100000`],
      [`cpu/paceline/${id}/cpu.cfs_quota_us`, String(quota)],
    ]);
  // Nothing is changed unless all of it can be.
  for (const [path, text] of await Promise.all(wanted.map((versions) => firstThere(id, versions)))) {
    try {
      await writeFile(path, text, { flag: 'r+' });
    } catch (error) {
      if (!hasCode(error, 'EBUSY')) throw error;
      throw new ConnectorError('capacity', `${id} uses more memory than it is to have`, { cause: error });
    }
  }
}

async function firstThere(id: string, versions: readonly [path: string, text: string][]): Promise<readonly [path: string, text: string]> {
  for (const [path, text] of versions) {
    const there = await unlessMissing(access(join(root, path)).then(() => true));
    if (there === true) return [join(root, path), text];
  }
  throw new ConnectorError('unsupported', `${id} was started without this limit, and cannot be given one now`, {
    hint: 'Say `resources` in its image, and let the engine be root.',
  });
}

async function removeGroup(path: string): Promise<void> {
  try {
    await unlessMissing(rmdir(path));
  } catch (error) {
    // Others are still in it, or it is not ours to remove.
    if (!hasCode(error, 'EBUSY', 'ENOTEMPTY', 'EACCES', 'EPERM', 'EROFS')) {
      throw error;
    }
  }
}
