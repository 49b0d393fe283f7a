import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, unlessMissing } from '@paceline/connector-host';

const root = '/sys/fs/cgroup';

/** Removes the control groups of ended machines, in all hierarchies of both versions; the supervisor made them. */
export async function removeControlGroups(ids: readonly string[]): Promise<void> {
  for (const parent of [root, join(root, 'memory'), join(root, 'cpu')]) {
    await Promise.all(ids.map((id) => removeGroup(join(parent, 'paceline', id))));
    await removeGroup(join(parent, 'paceline'));
  }
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
