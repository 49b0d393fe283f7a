import { createHash } from 'node:crypto';

/** On an entity: the published deployment that it is run by. */
export const deploymentAnnotation = 'paceline.dev/deployment';

const longest = 63;

/** The name of the entity of a module: names of modules may have slashes and more, so what was lost is told by a hash. */
export function entityNameOf(module: string): string {
  const plain = module
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[-._]+|[-._]+$/g, '');
  if (plain === module && plain.length <= longest) return plain;
  const hash = createHash('sha256').update(module).digest('hex').slice(0, 6);
  return [plain.slice(0, longest - hash.length - 1).replace(/[-._]+$/, ''), hash].filter((part) => part !== '').join('-');
}
