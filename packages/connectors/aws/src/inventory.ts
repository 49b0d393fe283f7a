import type { Instance } from '@aws-sdk/client-ec2';
import { resourceOf, type Machine, type OwnerQuery, type Resource } from '@paceline/engine/connector';
import { checkAborted, type Account } from './account.ts';
import { machineIds, toMachine, toResource } from './machine.ts';
import { filtersOf, nameOf, tagsIn } from './tags.ts';

/** A filter takes so many values. */
const valuesOfFilter = 200;

/** Asked by a filter: by ids a single one that is unknown would fail the call for all. */
export async function describeInstances(account: Account, ids: readonly string[], signal: AbortSignal): Promise<Instance[]> {
  checkAborted(signal, 'look up machines');
  const known = ids.filter((id) => machineIds.test(id));
  const found: Instance[] = [];
  for (let from = 0; from < known.length; from += valuesOfFilter) {
    const Values = known.slice(from, from + valuesOfFilter);
    found.push(...(await account.instances([{ Name: 'instance-id', Values }], signal)));
  }
  return found;
}

export async function describeMachines(account: Account, ids: readonly string[], signal: AbortSignal): Promise<Map<string, Machine>> {
  const instances = await describeInstances(account, ids, signal);
  return new Map(instances.flatMap((instance) => toMachine(instance) ?? []).map((machine) => [machine.id, machine]));
}

type Other = Exclude<Resource['kind'], 'machine'>;
interface Tagged {
  id: string | undefined;
  tags: { Key?: string | undefined; Value?: string | undefined }[] | undefined;
}

/**
 * Everything that carries the owner's tags. What goes with a machine (its disk, its interface) is shown only when it has been left
 * behind; snapshots only when there is no image of ours that they belong to.
 */
export async function listResources(account: Account, query: OwnerQuery, signal: AbortSignal): Promise<Resource[]> {
  const filters = filtersOf(query);
  const free = { Name: 'status', Values: ['available'] };
  const [instances, groups, images, volumes, snapshots, interfaces] = await Promise.all([
    account.instances(filters, signal),
    account.groups(filters, signal),
    account.images(filters, signal, ['self']),
    account.volumes([...filters, free], signal),
    account.snapshots(filters, signal),
    account.interfaces([...filters, free], signal),
  ]);
  const inImages = new Set(images.flatMap(({ BlockDeviceMappings }) => BlockDeviceMappings?.map(({ Ebs }) => Ebs?.SnapshotId) ?? []));
  const others: [Other, Tagged[]][] = [
    ['group', groups.map(({ GroupId, Tags }) => ({ id: GroupId, tags: Tags }))],
    ['image', images.map(({ ImageId, Tags }) => ({ id: ImageId, tags: Tags }))],
    ['disk', volumes.map(({ VolumeId, Tags }) => ({ id: VolumeId, tags: Tags }))],
    [
      'disk',
      snapshots.filter(({ SnapshotId }) => !inImages.has(SnapshotId)).map(({ SnapshotId, Tags }) => ({ id: SnapshotId, tags: Tags })),
    ],
    ['network', interfaces.map(({ NetworkInterfaceId, TagSet }) => ({ id: NetworkInterfaceId, tags: TagSet }))],
  ];
  return [
    ...instances.filter(({ State }) => State?.Name !== 'terminated').flatMap((instance) => toResource(instance) ?? []),
    ...others.flatMap(([kind, found]) =>
      found.flatMap(({ id = '', tags }) => resourceOf({ kind, id, name: nameOf(tags) }, tagsIn(tags)) ?? []),
    ),
  ];
}
