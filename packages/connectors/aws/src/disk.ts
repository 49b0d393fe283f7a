import { createHash } from 'node:crypto';
import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DetachVolumeCommand,
  ModifyInstanceAttributeCommand,
  waitUntilVolumeAvailable,
  waitUntilVolumeInUse,
  type Instance,
  type Volume,
} from '@aws-sdk/client-ec2';
import { ConnectorError, type AttachedDisk, type Tags } from '@paceline/engine/connector';
import type { Account } from './account.ts';
import { isUnknown } from './failure.ts';
import { describeInstances } from './inventory.ts';
import { markedDisk, specification, tagsIn, withDiskMark } from './tags.ts';

const waitSeconds = 120;
/** What EC2 leaves to the volumes of users. */
const letters = 'fghijklmnop'.split('');

/** Gives a machine a volume, which ends with it. */
export async function attachDisk(
  account: Account,
  id: string,
  { token, gib }: { token: string; gib: number },
  signal: AbortSignal,
): Promise<AttachedDisk> {
  const { instance, tags } = await findMachine(account, id, signal);
  const mark = createHash('sha256').update(`${id} ${token}`).digest('hex').slice(0, 32);
  const [found] = await account.volumes([markedDisk(mark)], signal);
  const volume = found ?? (await makeVolume(account, instance, { gib, mark, tags }, signal));
  const VolumeId = volume.VolumeId ?? '';
  const { Device = await attach(account, instance, VolumeId, signal) } = volume.Attachments?.[0] ?? {};
  const mapping = { DeviceName: Device, Ebs: { VolumeId, DeleteOnTermination: true } };
  await account.ask(`have the disk ${VolumeId} end with ${id}`, signal, (client, options) =>
    client.send(new ModifyInstanceAttributeCommand({ InstanceId: id, BlockDeviceMappings: [mapping] }), options),
  );
  // Under the name that it was attached by only some images show it; under its serial number all do, on what is not older than Nitro.
  return { id: VolumeId, device: `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VolumeId.replace('-', '')}` };
}

async function makeVolume(
  account: Account,
  { InstanceId, Placement }: Instance,
  { gib, mark, tags }: { gib: number; mark: string; tags: Tags },
  signal: AbortSignal,
): Promise<Volume> {
  return account.ask(`make a disk for ${InstanceId}`, signal, (client, options) =>
    client.send(
      new CreateVolumeCommand({
        AvailabilityZone: Placement?.AvailabilityZone,
        Size: gib,
        VolumeType: 'gp3',
        ClientToken: mark,
        TagSpecifications: withDiskMark(specification(['volume'], tags, `disk of ${InstanceId}`), mark),
      }),
      options,
    ),
  );
}

/** @returns the name that it is attached by */
async function attach(
  account: Account,
  { InstanceId, BlockDeviceMappings }: Instance,
  VolumeId: string,
  signal: AbortSignal,
): Promise<string> {
  const taken = new Set(BlockDeviceMappings?.map(({ DeviceName }) => DeviceName?.at(-1)));
  const letter = letters.find((each) => !taken.has(each));
  if (letter === undefined) throw new ConnectorError('quota', `${InstanceId} has as many disks as it may have`);
  const Device = `/dev/sd${letter}`;
  await account.ask(`attach the disk ${VolumeId} to ${InstanceId}`, signal, async (client, options) => {
    await waitUntilVolumeAvailable({ client, maxWaitTime: waitSeconds, abortSignal: signal }, { VolumeIds: [VolumeId] });
    await client.send(new AttachVolumeCommand({ InstanceId, VolumeId, Device }), options);
    await waitUntilVolumeInUse({ client, maxWaitTime: waitSeconds, abortSignal: signal }, { VolumeIds: [VolumeId] });
  });
  return Device;
}

/** Takes a volume from a machine, if it has it, and removes it. */
export async function detachDisk(account: Account, id: string, disk: string, signal: AbortSignal): Promise<void> {
  const [volume] = await account.volumes([{ Name: 'volume-id', Values: [disk] }], signal);
  if (volume === undefined) return;
  if (tagsIn(volume.Tags) === undefined) throw new ConnectorError('forbidden', `${disk} is not a disk of ours: it does not carry our tags`);
  const isAttached = volume.Attachments?.some(({ InstanceId }) => InstanceId === id) === true;
  await account
    .ask(`take the disk ${disk} from ${id}`, signal, async (client, options) => {
      if (isAttached) await client.send(new DetachVolumeCommand({ InstanceId: id, VolumeId: disk }), options);
      await waitUntilVolumeAvailable({ client, maxWaitTime: waitSeconds, abortSignal: signal }, { VolumeIds: [disk] });
      await client.send(new DeleteVolumeCommand({ VolumeId: disk }), options);
    })
    .catch((error: unknown) => {
      if (!isUnknown(error)) throw error;
    });
}

async function findMachine(account: Account, id: string, signal: AbortSignal): Promise<{ instance: Instance; tags: Tags }> {
  const [instance] = await describeInstances(account, [id], signal);
  const tags = tagsIn(instance?.Tags);
  if (instance === undefined || tags === undefined) throw new ConnectorError('notFound', `There is no machine ${id} of ours`);
  return { instance, tags };
}
