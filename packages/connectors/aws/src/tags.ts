import type { Filter, ResourceType, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { readTags, wantedTags, writeTags, type OwnerQuery, type Tags } from '@paceline/engine/connector';

const prefix = 'paceline:';

/** @param name what people see in the console */
export function specification(types: readonly ResourceType[], tags: Tags, name: string): TagSpecification[] {
  const pairs = Object.entries({ Name: name, ...writeTags(tags, prefix) });
  const Tags = pairs.map(([Key, Value]): Tag => ({ Key, Value }));
  return types.map((ResourceType) => ({ ResourceType, Tags }));
}

/** The tag of a disk by which it is found again: it was asked for by one request for one machine. */
const diskKey = `${prefix}disk`;

export function withDiskMark(specifications: readonly TagSpecification[], mark: string): TagSpecification[] {
  return specifications.map(({ Tags = [], ...rest }) => ({ ...rest, Tags: [...Tags, { Key: diskKey, Value: mark }] }));
}

export function markedDisk(mark: string): Filter {
  return { Name: `tag:${diskKey}`, Values: [mark] };
}

/** Undefined for what is not ours. */
export function tagsIn(tags: readonly Tag[] | undefined): Tags | undefined {
  return readTags(Object.fromEntries((tags ?? []).map(({ Key = '', Value }): [string, unknown] => [Key, Value])), prefix);
}

export function nameOf(tags: readonly Tag[] | undefined): string {
  return tags?.find(({ Key }) => Key === 'Name')?.Value ?? '';
}

/** What selects by tags in `describe` calls. Filters know the wildcards * and ?, which are not in our values. */
export function filtersOf(query: OwnerQuery): Filter[] {
  return wantedTags(query, prefix).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value.replaceAll(/[*?\\]/g, '\\$&')] }));
}
