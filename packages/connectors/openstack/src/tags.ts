import { createHash } from 'node:crypto';
import type { LaunchRequest, Owner, OwnerQuery } from '@paceline/engine/connector';

/** What everything that we make says of itself. */
export interface Tags {
  owner: { engine: string; run: string; node?: string };
  token?: string;
  index?: number;
  expiresAt?: Date;
  login?: string;
}

const prefix = 'paceline:';
/** On all that is ours, whoever's run it is. */
export const ours = 'paceline';

export function tagsOf({ owner, token, expiresAt, login }: LaunchRequest, index: number): Tags {
  return { owner, token, index, expiresAt, ...(login !== undefined && { login }) };
}

function values({ owner, token, index, expiresAt, login }: Tags): Record<string, string> {
  const all = {
    engine: owner.engine,
    run: owner.run,
    node: owner.node,
    token,
    index: index?.toString(),
    expires: expiresAt?.toISOString(),
    login,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Metadata of a server, and properties of an image: all of it. */
export function metadataOf(tags: Tags): Record<string, string> {
  return Object.fromEntries(Object.entries(values(tags)).map(([key, value]) => [prefix + key, value]));
}

/** Undefined for what is not ours. */
export function readMetadata(metadata: Record<string, unknown>): Tags | undefined {
  return read((key) => {
    const value = metadata[prefix + key];
    return typeof value === 'string' ? value : undefined;
  });
}

const longestTag = 60;

/** The tags of a server, which it can be looked up by: not everything fits into them, and what is meant is in the metadata. */
export function searchTags({ engine, run, token }: OwnerQuery): string[] {
  const wanted = Object.entries({ engine, run, token }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return [ours, ...wanted.map(([key, value]) => tag(key, value))];
}

function tag(key: string, value: string): string {
  const plain = `${prefix}${key}=${value}`;
  if (plain.length <= longestTag && !/[,/]/.test(value)) return plain;
  return `${prefix}${key}=${createHash('sha256').update(value).digest('hex').slice(0, 32)}`;
}

/** The description of what has no metadata, such as a security group: the only thing that can be said when it is made. */
export function descriptionOf(tags: Tags): string {
  const words = Object.entries(values(tags)).map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return [ours, ...words].join(' ');
}

/** Undefined for what is not ours. */
export function readDescription(text: string | null | undefined): Tags | undefined {
  const [first, ...words] = (text ?? '').split(' ');
  if (first !== ours) return undefined;
  const found = new Map(words.map((word) => word.split('=', 2) as [string, string]));
  return read((key) => {
    const value = found.get(key);
    return value === undefined ? undefined : decode(value);
  });
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function read(value: (key: string) => string | undefined): Tags | undefined {
  const [engine, run, node, token, index, expires, login] = ['engine', 'run', 'node', 'token', 'index', 'expires', 'login'].map(value);
  if (engine === undefined || run === undefined) return undefined;
  return {
    owner: { engine, run, ...(node !== undefined && { node }) },
    ...(token !== undefined && { token }),
    ...(index !== undefined && { index: Number(index) }),
    ...(expires !== undefined && !Number.isNaN(Date.parse(expires)) && { expiresAt: new Date(expires) }),
    ...(login !== undefined && { login }),
  };
}

export function matches({ owner, token }: Tags, query: OwnerQuery): boolean {
  return (
    owner.engine === query.engine &&
    (query.run === undefined || owner.run === query.run) &&
    (query.token === undefined || token === query.token)
  );
}

export function sameRun(one: Pick<Owner, 'engine' | 'run'>, other: Pick<Owner, 'engine' | 'run'>): boolean {
  return one.engine === other.engine && one.run === other.run;
}
