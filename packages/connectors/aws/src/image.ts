import type { Filter } from '@aws-sdk/client-ec2';
import { ConnectorError } from '@paceline/engine/connector';
import type { Account } from './account.ts';
import type { Config } from './config.ts';

/** A parameter of Systems Manager that names an image, as EC2 takes it. */
const parameter = 'resolve:ssm:';

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
  if (image.startsWith('ami-') || image.startsWith(parameter)) return image;
  const found = await account.images(available('name', image), signal, config.imageOwners);
  const [newest] = found.toSorted((one, other) => (other.CreationDate ?? '').localeCompare(one.CreationDate ?? ''));
  if (newest?.ImageId !== undefined) return newest.ImageId;
  throw new ConnectorError('notFound', `There is no image ${image} in ${config.region} of ${config.imageOwners.join(', ')}`, {
    hint: 'Name it as ami-…, or add its owner to `imageOwners`.',
  });
}

/** The id of what an image name means now, once it is known to be there; parameters of Systems Manager stand for themselves. @throws notFound, invalid */
export async function resolveImage(account: Account, config: Config, wanted: string, signal: AbortSignal): Promise<string> {
  const image = await findImage(account, config, wanted, signal);
  if (image.startsWith(parameter)) return image;
  if ((await account.images(available('image-id', image), signal)).length > 0) return image;
  throw new ConnectorError('notFound', `There is no image ${image} in ${config.region} that machines can be launched from`);
}

function available(name: string, value: string): Filter[] {
  return [
    { Name: name, Values: [value] },
    { Name: 'state', Values: ['available'] },
  ];
}
