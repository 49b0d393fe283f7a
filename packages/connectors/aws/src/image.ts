import { DescribeLaunchTemplateVersionsCommand, type Filter } from '@aws-sdk/client-ec2';
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
  const image = wanted === '' ? (config.image ?? (await imageOfTemplate(account, config, signal))) : wanted;
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

/** What the launch template says, if there is one and it says it. */
async function imageOfTemplate(account: Account, { launchTemplate }: Config, signal: AbortSignal): Promise<string | undefined> {
  if (launchTemplate === undefined) return undefined;
  const { Version, ...which } = templateOf(launchTemplate);
  const describe = new DescribeLaunchTemplateVersionsCommand({ ...which, Versions: [Version] });
  const { LaunchTemplateVersions: [found] = [] } = await account.ask('look up the launch template', signal, (client, options) =>
    client.send(describe, options),
  );
  return found?.LaunchTemplateData?.ImageId;
}

/** As EC2 takes it. */
export function templateOf({ id, name, version: Version }: NonNullable<Config['launchTemplate']>) {
  return { Version, ...(id !== undefined && { LaunchTemplateId: id }), ...(name !== undefined && { LaunchTemplateName: name }) };
}

function available(name: string, value: string): Filter[] {
  return [
    { Name: name, Values: [value] },
    { Name: 'state', Values: ['available'] },
  ];
}
