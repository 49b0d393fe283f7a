import { throughPortal, type RunSummary } from '@paceline/api';
import { taggedEntity, taggedOwners } from '@paceline/backstage-plugin-common';

/** What policies decide on. */
export interface RunResource {
  id: string;
  project: string;
  /** The user of this Backstage who has started it; undefined when it was somebody else. */
  starter: string | undefined;
  /** Who owned its entity when it was started, as the catalog of this Backstage said. */
  owners: readonly string[];
  /** The entity that it is of. */
  entity: string | undefined;
}

/**
 * @param self the name of this Backstage on the server. What others have written, such as tags with owners, and users of another
 *   Backstage who have the same name as one here, say nothing about whose a run is.
 */
export function resourceOf(
  { id, createdBy, project, tags }: Pick<RunSummary, 'id' | 'createdBy' | 'project' | 'tags'>,
  self: string,
): RunResource {
  const by = throughPortal('', self);
  const user = createdBy.endsWith(by) ? createdBy.slice(0, -by.length) : undefined;
  return {
    id,
    project,
    starter: user !== undefined && /^user:[^ ]+$/.test(user) ? user : undefined,
    owners: user === undefined ? [] : taggedOwners(tags),
    entity: taggedEntity(tags),
  };
}
