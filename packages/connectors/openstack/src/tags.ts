import { createHash } from 'node:crypto';
import { readTags, wantedTags, writeTags, type Owner, type OwnerQuery, type Tags } from '@paceline/engine/connector';

const prefix = 'paceline:';
/** What the machines of one request were called, of which Nova has made their names. */
export const nameKey = `${prefix}name`;
/** On all that is ours, whoever's run it is. */
export const ours = 'paceline';

/** Metadata of a server, and properties of an image: all of it. */
export function metadataOf(tags: Tags): Record<string, string> {
  return writeTags(tags, prefix);
}

/** Undefined for what is not ours. */
export function readMetadata(metadata: Record<string, unknown>): Tags | undefined {
  return readTags(metadata, prefix);
}

const longestTag = 60;

/** The tags of a server, which it can be looked up by: not everything fits into them, and what is meant is in the metadata. */
export function searchTags(query: OwnerQuery): string[] {
  return [ours, ...wantedTags(query, prefix).map(([key, value]) => tag(key, value))];
}

function tag(key: string, value: string): string {
  const plain = `${key}=${value}`;
  if (plain.length <= longestTag && !/[,/]/.test(value)) return plain;
  return `${key}=${createHash('sha256').update(value).digest('hex').slice(0, 32)}`;
}

/** The description of what has no metadata, such as a security group: the only thing that can be said when it is made. */
export function descriptionOf(tags: Tags): string {
  return [ours, ...Object.entries(writeTags(tags)).map(([key, value]) => `${key}=${encodeURIComponent(value)}`)].join(' ');
}

/** Undefined for what is not ours. */
export function readDescription(text: string | null | undefined): Tags | undefined {
  const [first, ...words] = (text ?? '').split(' ');
  if (first !== ours) return undefined;
  return readTags(Object.fromEntries(words.map((word) => word.split('=', 2)).map(([key = '', value = '']) => [key, decode(value)])));
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

export function sameRun(one: Pick<Owner, 'engine' | 'run'>, other: Pick<Owner, 'engine' | 'run'>): boolean {
  return one.engine === other.engine && one.run === other.run;
}
