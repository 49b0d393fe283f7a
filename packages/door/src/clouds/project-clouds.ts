import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { diskFiles, findProject } from '@paceline/model';

/**
 * The `clouds.yaml` of the project that a module is in: beside the module or above it, up to the root of the project that
 * modules are loaded from, or else of the Git repository. Without these only beside the module: a folder further up may be somebody else's.
 */
export async function findProjectClouds(moduleFolder: string): Promise<string | undefined> {
  const { root, bounded } = await findProject(diskFiles(), moduleFolder);
  let nearest: string | undefined;
  for (let at = moduleFolder; ; at = dirname(at)) {
    const path = join(at, 'clouds.yaml');
    if (nearest === undefined && (await exists(path))) nearest = path;
    if (bounded ? at === root : await exists(join(at, '.git'))) return nearest;
    if (at === dirname(at)) break;
  }
  const beside = join(moduleFolder, 'clouds.yaml');
  return nearest === beside ? beside : undefined;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
