import { wantedTags, type OwnerQuery } from '@paceline/engine/connector';

const prefix = 'paceline-';

/** Keys of an instance's configuration that are free for everybody begin so; those of an image's properties need not. */
export const configPrefix = `user.${prefix}`;
export const propertyPrefix = prefix;

/** What selects instances by tags. Values are not quoted there; what could be misread is left to the kit's `matches`. */
export function filterOf(query: OwnerQuery): string | undefined {
  const wanted = wantedTags(query, configPrefix).filter(([, value]) => /^[\w.:-]+$/.test(value));
  return wanted.length === 0 ? undefined : wanted.map(([key, value]) => `config.${key} eq ${value}`).join(' and ');
}
