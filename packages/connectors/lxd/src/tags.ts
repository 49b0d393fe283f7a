import type { LaunchRequest, Owner, OwnerQuery } from '@paceline/engine/connector';

/** What machines, and images made of them, say of themselves. */
export interface Tags {
  owner: Owner;
  token: string;
  index: number;
  expiresAt: Date;
  login?: string;
}

const prefix = 'paceline-';

/** Keys of an instance's configuration that are free for everybody begin so; those of an image's properties need not. */
export const configPrefix = `user.${prefix}`;
export const propertyPrefix = prefix;

export function tagsOf({ owner, token, expiresAt, login }: LaunchRequest, index: number): Tags {
  return { owner, token, index, expiresAt, ...(login !== undefined && { login }) };
}

export function writeTags({ owner, token, index, expiresAt, login }: Tags, before: string): Record<string, string> {
  return {
    [`${before}engine`]: owner.engine,
    [`${before}run`]: owner.run,
    [`${before}node`]: owner.node,
    [`${before}token`]: token,
    [`${before}index`]: String(index),
    [`${before}expires`]: expiresAt.toISOString(),
    ...(login !== undefined && { [`${before}login`]: login }),
  };
}

/** Undefined for what is not ours. */
export function readTags(values: Record<string, string> | null, before: string): Tags | undefined {
  const tag = (name: string): string | undefined => values?.[before + name];
  const [engine, run, token] = ['engine', 'run', 'token'].map(tag);
  if (engine === undefined || run === undefined || token === undefined) {
    return undefined;
  }
  const login = tag('login');
  return {
    owner: { engine, run, node: tag('node') ?? '' },
    token,
    index: Number(tag('index') ?? 0),
    expiresAt: new Date(tag('expires') ?? 0),
    ...(login !== undefined && { login }),
  };
}

export function matches({ engine, run, token }: OwnerQuery, tags: Tags): boolean {
  return tags.owner.engine === engine && (run === undefined || tags.owner.run === run) && (token === undefined || tags.token === token);
}

/** The same in LXD's words, for instances. Values are not quoted there; what could be misread is left to {@link matches}. */
export function filterOf({ engine, run, token }: OwnerQuery): string | undefined {
  const wanted = Object.entries({ engine, run, token }).filter(([, value]) => value !== undefined && /^[\w.:-]+$/.test(value));
  return wanted.length === 0 ? undefined : wanted.map(([name, value]) => `config.${configPrefix}${name} eq ${value}`).join(' and ');
}
