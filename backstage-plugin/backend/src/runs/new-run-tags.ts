import { RELATION_OWNED_BY } from '@backstage/catalog-model';
import type { BackstageCredentials } from '@backstage/backend-plugin-api';
import { InputError } from '@backstage/errors';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { entityTag, ownerTag, taggedEntity, taggedOwners } from '@paceline/backstage-plugin-common';

/** What a server takes. */
const most = { tags: 40, characters: 200 };

/**
 * The tags of a new run. Of its entity, which whoever starts it has to see, come the tags of its owners: nobody else can set
 * these, as policies go by them.
 * @throws InputError when there is no such entity for this user, and when a run cannot have all these tags
 */
export async function newRunTags(catalog: CatalogService, credentials: BackstageCredentials, asked: readonly string[]): Promise<string[]> {
  const forged = new Set(taggedOwners(asked).map(ownerTag));
  const tags = asked.filter((tag) => !forged.has(tag.toLowerCase()));
  const ref = taggedEntity(tags);
  if (ref === undefined) return tags;
  const entity = await catalog.getEntityByRef(ref, { credentials });
  if (entity === undefined) throw new InputError(`There is no entity ${ref} in the catalog that you can see`);
  const owners = (entity.relations ?? []).filter(({ type }) => type === RELATION_OWNED_BY).map(({ targetRef }) => ownerTag(targetRef));
  const all = [...new Set([...tags.filter((tag) => taggedEntity([tag]) === undefined), entityTag(ref), ...owners])];
  if (all.length > most.tags) {
    throw new InputError(`A run of ${ref} has ${all.length} tags, with ${owners.length} for its owners, and a run can have ${most.tags}`);
  }
  const long = all.find((tag) => tag.length > most.characters);
  if (long !== undefined)
    throw new InputError(`A tag of the run is too long, with ${long.length} characters of ${most.characters}: ${long}`);
  return all;
}
