import type { Entity } from '@backstage/catalog-model';

/** The published deployment that an entity is run by, as its annotation says. */
export function deploymentOf({ metadata }: Entity): string | undefined {
  return metadata.annotations?.['paceline.dev/deployment'];
}

export function hasDeployment(entity: Entity): boolean {
  return deploymentOf(entity) !== undefined;
}
