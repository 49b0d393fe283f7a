import type { Filter, ResourceType, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import type { LaunchRequest, Owner, OwnerQuery } from '@paceline/engine/connector';

const prefix = 'paceline:';

/** What everything that we make says of itself. */
export interface Tags {
  owner: Owner;
  token?: string;
  index?: number;
  expiresAt?: Date;
  login?: string;
}

export function tagsOf({ owner, token, expiresAt, login }: LaunchRequest, index: number): Tags {
  return { owner, token, index, expiresAt, ...(login !== undefined && { login }) };
}

/** @param name what people see in the console */
export function specification(
  types: readonly ResourceType[],
  { owner, token, index, expiresAt, login }: Tags,
  name: string,
): TagSpecification[] {
  const values: Record<string, string | undefined> = {
    engine: owner.engine,
    run: owner.run,
    node: owner.node,
    token,
    index: index?.toString(),
    expires: expiresAt?.toISOString(),
    login,
  };
  const tags: Tag[] = [
    { Key: 'Name', Value: name },
    ...Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [{ Key: prefix + key, Value: value }])),
  ];
  return types.map((ResourceType) => ({ ResourceType, Tags: tags }));
}

/** Undefined for what is not ours. */
export function readTags(tags: readonly Tag[] | undefined): Tags | undefined {
  const tag = (name: string): string | undefined => tags?.find(({ Key }) => Key === prefix + name)?.Value;
  const [engine, run, node, token, index, expires, login] = ['engine', 'run', 'node', 'token', 'index', 'expires', 'login'].map(tag);
  if (engine === undefined || run === undefined) return undefined;
  return {
    owner: { engine, run, node: node ?? '' },
    ...(token !== undefined && { token }),
    ...(index !== undefined && { index: Number(index) }),
    ...(expires !== undefined && { expiresAt: new Date(expires) }),
    ...(login !== undefined && { login }),
  };
}

export function nameOf(tags: readonly Tag[] | undefined): string {
  return tags?.find(({ Key }) => Key === 'Name')?.Value ?? '';
}

/** The same for `describe` calls. Filters know the wildcards * and ?, which are not in our values. */
export function filtersOf({ engine, run, token }: OwnerQuery): Filter[] {
  return Object.entries({ engine, run, token }).flatMap(([name, value]) =>
    value === undefined ? [] : [{ Name: `tag:${prefix}${name}`, Values: [value.replaceAll(/[*?\\]/g, '\\$&')] }],
  );
}
