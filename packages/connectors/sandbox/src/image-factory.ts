import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toConnectorError, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import { asMachineRoot, runCommand } from './command.ts';
import type { Config } from './config.ts';
import { whileFrozen } from './control.ts';
import { removeTrees, removeWithin } from './garbage.ts';
import { readImage, type ImageRecord } from './image-record.ts';
import { readRecord } from './machine-record.ts';
import { machineDirectory, openSite, runOf, type Site } from './site.ts';

export type { ImageRecord } from './image-record.ts';

/** What belongs to one machine and not to an image; the next machine gets its own. */
const personal = [
  'etc/hostname',
  'etc/hosts',
  'etc/machine-id',
  'etc/resolv.conf',
  'etc/cloud/cloud.cfg.d/zz-paceline.cfg',
  'etc/ssh/ssh_host_ed25519_key',
  'etc/ssh/ssh_host_ed25519_key.pub',
  'tmp',
  'var/lib/paceline',
  'var/lib/cloud',
  'var/log/cloud-init.log',
  'var/log/cloud-init-output.log',
];

/**
 * Keeps what a machine has written as an image for others: a layer on top of what the machine itself stands on. It may
 * run: it stands still meanwhile, and the image is as if its power had been cut. Costs the disk space of the layer.
 * @param name by which a launch names the image afterwards
 * @throws notFound, conflict if there is an image of this name
 */
export async function createImage(config: Config, id: string, name: string, now = new Date()): Promise<ImageRecord> {
  try {
    return await keep(await openSite(config, true), id, name, now);
  } catch (error) {
    throw toConnectorError(error, `make an image of ${id}`);
  }
}

async function keep(site: Site, id: string, name: string, now: Date): Promise<ImageRecord> {
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name)) {
    throw new ConnectorError('invalid', `${name} cannot be the name of an image`);
  }
  const run = runOf(site, id);
  const machine = run === undefined ? undefined : machineDirectory(run, id);
  const reading = machine === undefined ? undefined : await readRecord(machine);
  if (run === undefined || machine === undefined || reading === undefined || 'damaged' in reading || !(await hasUpper(machine))) {
    throw new ConnectorError('notFound', `There is no machine ${id} that an image could be made of`);
  }
  const { owner, layers, host } = reading.record;
  const image: ImageRecord = { name, owner, createdAt: now.toISOString(), layers, host };
  const staged = join(site.staging, `image-${randomUUID()}`);
  await mkdir(staged);
  try {
    const copy = asMachineRoot(site, ['cp', '-a', '--reflink=auto', join(machine, 'upper'), join(staged, 'layer')]);
    await whileFrozen(run, id, () => runCommand(copy));
    await removeWithin(site, join(staged, 'layer'), personal);
    await writeFile(join(staged, 'image.json'), `${JSON.stringify(image, undefined, 2)}\n`);
    await rename(staged, join(site.images, name));
  } catch (error) {
    await removeTrees(site, [staged]);
    if ((await unlessMissing(stat(join(site.images, name)))) !== undefined) {
      throw new ConnectorError('conflict', `There is an image ${name} already`, { cause: error });
    }
    throw error;
  }
  return image;
}

async function hasUpper(machine: string): Promise<boolean> {
  return (await unlessMissing(stat(join(machine, 'upper')))) !== undefined;
}

/** The images that machines were made into. */
export async function listImages(site: Site): Promise<ImageRecord[]> {
  const names = (await unlessMissing(readdir(site.images))) ?? [];
  const images = await Promise.all(names.map((name) => readImage(join(site.images, name))));
  return images.filter((image) => image !== undefined);
}

/**
 * Removes an image. One that is not there is removed.
 * @throws conflict while a machine or another image stands on it
 */
export async function removeImage(site: Site, name: string, inUse: readonly string[]): Promise<void> {
  const path = join(site.images, name);
  if (/[/\\]/.test(name) || (await readImage(path)) === undefined) {
    return;
  }
  const above = (await listImages(site)).flatMap(({ layers }) => layers);
  if ([...inUse, ...above].includes(join(path, 'layer'))) {
    throw new ConnectorError('conflict', `Machines or images stand on the image ${name}`, { hint: 'Remove them first.' });
  }
  await removeTrees(site, [path]);
}
