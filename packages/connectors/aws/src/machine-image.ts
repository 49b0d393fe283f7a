import {
  CreateImageCommand,
  DeleteNetworkInterfaceCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  waitUntilImageAvailable,
} from '@aws-sdk/client-ec2';
import { ConnectorError, type ConnectorContext, type MachineImage, type Resource } from '@paceline/engine/connector';
import type { Account } from './account.ts';
import { isUnknown } from './failure.ts';
import { describeInstances } from './inventory.ts';
import { removeGroup } from './security-group.ts';
import { tagsIn, specification } from './tags.ts';

/** Six hours; the engine gives up no later. */
const imageWaitSeconds = 6 * 3600;

/** Makes an image of a machine, which goes on running, and waits until machines can be launched from it. */
export async function createImage(account: Account, id: string, name: string, { signal }: ConnectorContext): Promise<MachineImage> {
  const [instance] = await describeInstances(account, [id], signal);
  const tags = tagsIn(instance?.Tags);
  if (tags === undefined) throw new ConnectorError('notFound', `There is no machine ${id} of ours`);
  const { ImageId } = await account.ask(`make the image ${name} of ${id}`, signal, (client, options) =>
    client.send(
      new CreateImageCommand({
        InstanceId: id,
        Name: name,
        NoReboot: true,
        TagSpecifications: specification(['image', 'snapshot'], { owner: tags.owner }, name),
      }),
      options,
    ),
  );
  if (ImageId === undefined) throw new ConnectorError('unavailable', 'EC2 has answered to the making of an image without one');
  await account.ask(`wait for the image ${name}`, signal, (client) =>
    waitUntilImageAvailable({ client, maxWaitTime: imageWaitSeconds, abortSignal: signal }, { ImageIds: [ImageId] }),
  );
  return { image: ImageId, id: ImageId };
}

/** Removes one thing that is no machine, by the kind that its id shows. */
export async function removeResource(account: Account, { kind, id }: Resource, signal: AbortSignal): Promise<void> {
  if (kind === 'group') return removeGroup(account, id, signal);
  if (kind === 'image') return removeImage(account, id, signal);
  const command = id.startsWith('vol-')
    ? new DeleteVolumeCommand({ VolumeId: id })
    : id.startsWith('eni-')
      ? new DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id })
      : undefined;
  if (id.startsWith('snap-')) return removeSnapshot(account, id, signal);
  if (command === undefined) throw new ConnectorError('unsupported', `An aws cloud has no ${kind} ${id} that could be removed by itself`);
  await account.ask(`remove ${id}`, signal, (client, options) => send(client, command, options)).catch(unlessGone);
}

async function send(
  client: Parameters<Parameters<Account['ask']>[2]>[0],
  command: DeleteVolumeCommand | DeleteNetworkInterfaceCommand,
  options: { abortSignal: AbortSignal },
): Promise<void> {
  await (command instanceof DeleteVolumeCommand ? client.send(command, options) : client.send(command, options));
}

/** An image, and the snapshots that it was made of. */
async function removeImage(account: Account, id: string, signal: AbortSignal): Promise<void> {
  const [image] = await account.images([{ Name: 'image-id', Values: [id] }], signal, ['self']);
  if (image === undefined) return;
  await account
    .ask(`remove the image ${id}`, signal, (client, options) => client.send(new DeregisterImageCommand({ ImageId: id }), options))
    .catch(unlessGone);
  for (const { Ebs } of image.BlockDeviceMappings ?? []) {
    if (Ebs?.SnapshotId !== undefined) await removeSnapshot(account, Ebs.SnapshotId, signal);
  }
}

async function removeSnapshot(account: Account, id: string, signal: AbortSignal): Promise<void> {
  await account
    .ask(`remove the snapshot ${id}`, signal, (client, options) => client.send(new DeleteSnapshotCommand({ SnapshotId: id }), options))
    .catch(unlessGone);
}

function unlessGone(error: unknown): void {
  if (!isUnknown(error)) throw error;
}
