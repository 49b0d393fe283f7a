import { ConnectorError, type LaunchRequest } from '@paceline/engine/connector';
import { flavorSchema, imageSchema, networkSchema, type Flavor } from './answers.ts';
import type { Config } from './config.ts';
import { unlessUnknown } from './failure.ts';
import { machineIds } from './machine.ts';
import type { Session } from './session.ts';

/** What a launch names an image by: its id, or its name, of several the newest. @throws ConnectorError notFound */
export async function findImage(session: Session, config: Config, wanted: string, signal: AbortSignal): Promise<string> {
  const image = wanted === '' ? config.image : wanted;
  if (image === undefined) {
    throw new ConnectorError('invalid', 'The module names no image for this cloud', {
      hint: 'Set `image` in the configuration of the cloud, or `clouds: { NAME: { image: … } }` in the module.',
    });
  }
  if (machineIds.test(image)) return image;
  const path = `/images?name=${encodeURIComponent(image)}&status=active`;
  const found = await session.all('image', 'images', { doing: `find the image ${image}`, path, item: imageSchema, signal });
  const [newest] = found.toSorted((one, other) => other.created_at.localeCompare(one.created_at));
  if (newest !== undefined) return newest.id;
  throw new ConnectorError('notFound', `There is no image ${image} that machines can be launched from`, {
    hint: '`openstack image list` shows those that there are.',
  });
}

/** The id of what an image name means now, once it is known to be there. @throws ConnectorError notFound */
export async function resolveImage(session: Session, config: Config, wanted: string, signal: AbortSignal): Promise<string> {
  const image = await findImage(session, config, wanted, signal);
  const doing = `find the image ${image}`;
  const found = await unlessUnknown(session.ask('image', { doing, path: `/images/${image}`, schema: imageSchema, signal }));
  if (found?.status === 'active') return image;
  throw new ConnectorError('notFound', `There is no image ${image} that machines can be launched from`);
}

/** Everything that machines can be, the cheapest first as far as that can be told. */
export async function listFlavors(session: Session, { flavors }: Config, signal: AbortSignal): Promise<Flavor[]> {
  const all = await session.all('compute', 'flavors', { doing: 'list flavors', path: '/flavors/detail', item: flavorSchema, signal });
  const offered = all.filter((flavor) => !flavor['OS-FLV-DISABLED:disabled']);
  if (flavors !== undefined) return flavors.flatMap((wanted) => offered.find(({ id, name }) => name === wanted || id === wanted) ?? []);
  return offered.toSorted(
    (one, other) => one.vcpus - other.vcpus || one.ram - other.ram || one.disk - other.disk || one.name.localeCompare(other.name),
  );
}

/** @throws ConnectorError invalid when none is large enough */
export function chooseFlavor(flavors: readonly Flavor[], { cpus = 0, memoryMiB = 0, diskGiB = 0 }: LaunchRequest): Flavor {
  const found = flavors.find(({ vcpus, ram, disk }) => vcpus >= cpus && ram >= memoryMiB && disk >= diskGiB);
  if (found !== undefined) return found;
  throw new ConnectorError('invalid', `No flavor has ${cpus} CPUs, ${memoryMiB} MiB of memory and a disk of ${diskGiB} GiB`, {
    hint: flavors.length === 0 ? 'None of `flavors` is there.' : `There are: ${flavors.map(({ name }) => name).join(', ')}.`,
  });
}

/** The network of the machines, and the one that their floating addresses are of. @throws ConnectorError invalid */
export async function findNetworks(
  session: Session,
  { network, floatingNetwork }: Config,
  signal: AbortSignal,
): Promise<{ network: string; outside: string | undefined }> {
  const path = '/networks?fields=id&fields=name&fields=router:external';
  const all = await session.all('network', 'networks', { doing: 'list networks', path, item: networkSchema, signal });
  const inside = all.filter((each) => network !== undefined || !each['router:external']);
  const find = (from: typeof all, wanted: string | undefined, setting: string): string => {
    const found = from.filter(({ id, name }) => wanted === undefined || id === wanted || name === wanted);
    const [only] = found;
    if (only !== undefined && found.length === 1) return only.id;
    const what = wanted === undefined ? 'network in the project' : `network ${wanted}`;
    throw new ConnectorError('invalid', found.length === 0 ? `There is no ${what}` : `There is more than one ${what}`, {
      hint: `Set \`${setting}\` in the configuration of the cloud to one of: ${from.map(({ name, id }) => (name === '' ? id : name)).join(', ')}.`,
    });
  };
  return {
    network: find(inside, network, 'network'),
    outside:
      floatingNetwork === undefined
        ? undefined
        : find(
            all.filter((each) => each['router:external']),
            floatingNetwork,
            'floatingNetwork',
          ),
  };
}
