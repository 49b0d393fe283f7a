import { ConnectorError } from '@paceline/engine/connector';
import type { Account } from './account.ts';
import type { Config } from './config.ts';

/**
 * What a launch names an image by. Parameters of Systems Manager are left to EC2; of images with one name the newest is taken, of those
 * that stand for several (`debian-12-amd64-*`), too.
 */
export async function findImage(account: Account, config: Config, wanted: string, signal: AbortSignal): Promise<string> {
  const image = wanted === '' ? config.image : wanted;
  if (image === undefined) {
    throw new ConnectorError('invalid', 'The module names no image for this cloud', {
      hint: 'Set `image` in the configuration of the cloud, or `clouds: { NAME: { image: … } }` in the module.',
    });
  }
  if (image.startsWith('ami-') || image.startsWith('resolve:ssm:')) return image;
  const filters = [
    { Name: 'name', Values: [image] },
    { Name: 'state', Values: ['available'] },
  ];
  const found = await account.images(filters, signal, config.imageOwners);
  const [newest] = found.toSorted((one, other) => (other.CreationDate ?? '').localeCompare(one.CreationDate ?? ''));
  if (newest?.ImageId !== undefined) return newest.ImageId;
  throw new ConnectorError('notFound', `There is no image ${image} in ${config.region} of ${config.imageOwners.join(', ')}`, {
    hint: 'Name it as ami-…, or add its owner to `imageOwners`.',
  });
}
