import type { Machine, Resource } from './machine.ts';
import type { Tags } from './tags.ts';

/** A thing of a cloud with what its tags say of whose it is. @returns undefined for what is not ours, which has no tags */
export function resourceOf(thing: Pick<Resource, 'kind' | 'id' | 'name' | 'machine'>, tags: Tags | undefined): Resource | undefined {
  if (tags === undefined) return undefined;
  const { owner, token, expiresAt } = tags;
  return { ...thing, owner, ...(token !== undefined && { token }), ...(expiresAt !== undefined && { expiresAt }) };
}

export function machineResource(machine: Machine | undefined, tags: Tags | undefined): Resource | undefined {
  return machine && resourceOf({ kind: 'machine', id: machine.id, name: machine.name, machine }, tags);
}
