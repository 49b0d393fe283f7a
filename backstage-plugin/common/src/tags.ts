const entityPrefix = 'entity:';
const ownerPrefix = 'owner:';

/** The tag of the runs of a catalog entity. @param ref such as `component:default/shop` */
export const entityTag = (ref: string): string => entityPrefix + ref.toLowerCase();

/** The tag that says who owns the entity of a run; only the back end sets it. */
export const ownerTag = (ref: string): string => ownerPrefix + ref.toLowerCase();

/** The entity that a run is of, if it is of one. */
export function taggedEntity(tags: readonly string[]): string | undefined {
  return tags.find((tag) => tag.startsWith(entityPrefix))?.slice(entityPrefix.length);
}

export function taggedOwners(tags: readonly string[]): string[] {
  return tags.filter((tag) => tag.startsWith(ownerPrefix)).map((tag) => tag.slice(ownerPrefix.length));
}
