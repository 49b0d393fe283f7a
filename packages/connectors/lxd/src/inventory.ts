import {
  inParallel,
  matches,
  readTags,
  resourceOf,
  valuesOf,
  type Machine,
  type OwnerQuery,
  type Resource,
} from '@paceline/engine/connector';
import * as z from 'zod';
import { imageSchema, instanceSchema, type Image } from './answer.ts';
import type { Client } from './client.ts';
import type { Config } from './config.ts';
import { listDisks } from './disk.ts';
import { unlessUnknown } from './failure.ts';
import { isMachineName, toMachine, toResource } from './machine.ts';
import { requireProject } from './project.ts';
import { filterOf, propertyPrefix } from './tags.ts';

/** What is there of these machines. */
export async function describeMachines(
  client: Client,
  config: Config,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Machine>> {
  const looks = await inParallel(ids.filter(isMachineName), (id) =>
    unlessUnknown(
      client.get(`look up machine ${id}`, `/1.0/instances/${id}`, instanceSchema, {
        query: { recursion: '1' },
        signal,
      }),
    ),
  );
  const found = valuesOf(looks).filter((instance) => instance !== undefined);
  if (found.length < ids.length) {
    await requireProject(client, config, signal);
  }
  const machines = found.flatMap((instance) => toMachine(instance) ?? []);
  return new Map(machines.map((machine) => [machine.id, machine]));
}

/** Everything in the project that carries the owner's tags. LXD answers with all there is at once. */
export async function listResources(client: Client, config: Config, query: OwnerQuery, signal: AbortSignal): Promise<Resource[]> {
  const filter = filterOf(query);
  const [instances, images, volumes] = await Promise.all([
    client.get('list machines', '/1.0/instances', z.array(instanceSchema), {
      query: { recursion: '2', ...(filter !== undefined && { filter }) },
      signal,
    }),
    client.get('list images', '/1.0/images', z.array(imageSchema), { query: { recursion: '1' }, signal }),
    listDisks(client, signal),
    requireProject(client, config, signal),
  ]);
  const found = [...instances.map(toResource), ...images.map(imageResource), ...volumes].filter((resource) => resource !== undefined);
  return found.filter((resource) => matches(resource, query));
}

function imageResource({ fingerprint, aliases, properties }: Image): Resource | undefined {
  const tags = readTags(properties, propertyPrefix);
  // Its end of life was that of the machine that it was made of.
  return tags && resourceOf({ kind: 'image', id: fingerprint, name: aliases?.[0]?.name ?? fingerprint }, { owner: tags.owner });
}
