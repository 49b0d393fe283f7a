import type { Resource } from '@paceline/engine/connector';
import type { Server } from './answers.ts';
import { toMachine } from './machine.ts';
import { readMetadata, type Tags } from './tags.ts';

export function machineResource(server: Server): Resource | undefined {
  const machine = toMachine(server);
  const tags = readMetadata(server.metadata);
  if (machine === undefined || tags === undefined) return undefined;
  const { owner, token, expiresAt } = tags;
  return {
    kind: 'machine',
    id: machine.id,
    name: machine.name,
    owner,
    ...(token !== undefined && { token }),
    ...(expiresAt !== undefined && { expiresAt }),
    machine,
  };
}

/** Something that is no machine; nothing if it is not ours. */
export function otherResource(kind: Exclude<Resource['kind'], 'machine'>, id: string, name: string, tags: Tags | undefined): Resource[] {
  if (tags === undefined) return [];
  const { owner, token, expiresAt } = tags;
  return [{ kind, id, name, owner, ...(token !== undefined && { token }), ...(expiresAt !== undefined && { expiresAt }) }];
}
