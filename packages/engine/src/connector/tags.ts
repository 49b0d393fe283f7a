import type { LaunchRequest } from './launch-request.ts';
import type { OwnerQuery } from './owner.ts';
import { readRanges, writeRanges } from './ranges.ts';

/**
 * What everything that a connector makes says of itself, in whatever its cloud has for that: tags, labels, metadata. The owner is
 * there always, the rest as far as it goes for the thing.
 */
export interface Tags {
  owner: { engine: string; run: string; node?: string };
  token?: string;
  /** The instance's number in its node. */
  index?: number;
  /** These numbers instead, of all machines that one call has launched, by their places in it. */
  indices?: number[];
  expiresAt?: Date;
  login?: string;
}

/** The tags of one machine of a launch. */
export function tagsOf({ owner, token, expiresAt, login }: LaunchRequest, index: number): Tags {
  return { owner, token, index, expiresAt, ...(login !== undefined && { login }) };
}

/** The tags that the machines of a shared launch have in common. */
export function sharedTagsOf(request: LaunchRequest): Tags {
  const { index: _, ...tags } = tagsOf(request, 0);
  return { ...tags, indices: request.machines.map(({ index }) => index) };
}

/**
 * The instance's number of a machine.
 * @param place in the call that has launched it, from 0
 * @returns undefined when there is none: the machine is not ours; and 0, which no instance has, when it is ours, but its place is unknown
 */
export function indexOf({ index, indices }: Tags, place: number | undefined): number | undefined {
  return index ?? (indices && (indices[place ?? -1] ?? 0));
}

/** Tags as keys and values. @param prefix of the keys, which tells ours from those of others @default none */
export function writeTags({ owner, token, index, indices, expiresAt, login }: Tags, prefix = ''): Record<string, string> {
  const { engine, run, node } = owner;
  const numbers = { index: index?.toString(), indices: indices && writeRanges(indices) };
  return withPrefix({ engine, run, node, token, ...numbers, expires: expiresAt?.toISOString(), login }, prefix);
}

/** Reads what {@link writeTags} has written. @returns undefined for what is not ours; a value that cannot be is left out */
export function readTags(values: Readonly<Record<string, unknown>> | null | undefined, prefix = ''): Tags | undefined {
  const read = (key: string): string | undefined => {
    const value = values?.[prefix + key];
    return typeof value === 'string' ? value : undefined;
  };
  const [engine, run, node, token, login] = ['engine', 'run', 'node', 'token', 'login'].map(read);
  if (engine === undefined || run === undefined) return undefined;
  const index = /^\d+$/.test(read('index') ?? '') ? Number(read('index')) : undefined;
  const indices = readRanges(read('indices') ?? '');
  const expiresAt = new Date(read('expires') ?? Number.NaN);
  return {
    owner: { engine, run, ...(node !== undefined && { node }) },
    ...(token !== undefined && { token }),
    ...(index !== undefined && { index }),
    ...(indices !== undefined && { indices }),
    ...(!Number.isNaN(expiresAt.getTime()) && { expiresAt }),
    ...(login !== undefined && { login }),
  };
}

/** The tags that a query asks for, for clouds that select by them. What they answer is checked with {@link matches} all the same. */
export function wantedTags({ engine, run, token }: OwnerQuery, prefix = ''): [key: string, value: string][] {
  return Object.entries(withPrefix({ engine, run, token }, prefix));
}

/** Whether a query selects what carries these tags. */
export function matches({ owner, token }: Pick<Tags, 'owner' | 'token'>, query: OwnerQuery): boolean {
  return owner.engine === query.engine && (query.run ?? owner.run) === owner.run && (query.token ?? token) === token;
}

function withPrefix(values: Record<string, string | undefined>, prefix: string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[prefix + key, value]])));
}
