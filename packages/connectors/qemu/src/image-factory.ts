import { randomUUID } from 'node:crypto';
import { copyFile, constants, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type ConnectorContext, type MachineImage } from '@paceline/engine/connector';
import * as z from 'zod';
import { backUpDisk } from './control.ts';
import { copyWhole } from './disk.ts';
import { readRecord } from './machine-record.ts';
import { findProcesses } from './processes.ts';
import { isMachineId, machineDirectory, type Site } from './site.ts';

const madeSchema = z.looseObject({ name: z.string(), owner: z.object({ engine: z.string(), run: z.string(), node: z.string() }) });

/** An image that a machine was made into. */
export type MadeImage = z.output<typeof madeSchema>;

/**
 * Keeps the disk of a machine as an image that stands on nothing else. The machine may run, and goes on; the image is as if its power had been
 * cut. A machine of the image is a new one to cloud-init, which gives it keys and a name of its own.
 * @throws notFound, unavailable while it does not answer, conflict if there is an image of this name
 */
export async function createImage(site: Site, id: string, name: string, { signal }: ConnectorContext): Promise<MachineImage> {
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name)) {
    throw new ConnectorError('invalid', `${name} cannot be the name of an image`);
  }
  const machine = machineDirectory(site, id);
  const reading = isMachineId(id) ? await readRecord(machine) : undefined;
  if (reading === undefined || 'damaged' in reading) {
    throw new ConnectorError('notFound', `There is no machine ${id} that an image could be made of`);
  }
  const target = join(site.images, name);
  const { boot, owner } = reading.record;
  const staged = join(site.staging, `image-${randomUUID()}`);
  await mkdir(staged);
  try {
    const disk = join(staged, 'disk.qcow2');
    if (!(await backUpDisk(machine, disk, signal))) {
      // Who reads it now keeps it from its emulator, which then ends.
      if ((await findProcesses(new Set([id]))).size > 0)
        throw new ConnectorError('unavailable', `Machine ${id} does not answer: it has only just been started, or is about to end`);
      await copyWhole(join(machine, 'disk.qcow2'), disk, signal);
    }
    const { kernel, initrd, append, login } = boot;
    const copied = Object.entries({ kernel, initrd }).filter((entry): entry is [string, string] => entry[1] !== undefined);
    await Promise.all(copied.map(([part, path]) => copyFile(path, join(staged, part), constants.COPYFILE_FICLONE)));
    const settings = { disk: 'disk.qcow2', ...Object.fromEntries(copied.map(([part]) => [part, part])), append, login };
    await writeFile(join(staged, 'image.json'), `${JSON.stringify({ name, owner, ...settings }, undefined, 2)}\n`);
    const { size } = await stat(disk);
    await rename(staged, target);
    return { image: name, id: name, bytes: size };
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if ((await unlessMissing(stat(target))) !== undefined) {
      throw new ConnectorError('conflict', `There is an image ${name} already`, { cause: error });
    }
    throw error;
  }
}

/** The images that machines were made into. */
export async function listImages(site: Site): Promise<MadeImage[]> {
  const names = (await unlessMissing(readdir(site.images))) ?? [];
  const images = await Promise.all(names.map((name) => readMade(site, name)));
  return images.filter((image) => image !== undefined);
}

async function readMade(site: Site, name: string): Promise<MadeImage | undefined> {
  const text = await unlessMissing(readFile(join(site.images, name, 'image.json'), 'utf8'));
  return text === undefined ? undefined : madeSchema.parse(JSON.parse(text));
}

/**
 * Removes an image. One that is not there is removed.
 * @throws conflict while a machine stands on it
 */
export async function removeImage(site: Site, name: string): Promise<void> {
  if (/[/\\]/.test(name) || (await readMade(site, name)) === undefined) {
    return;
  }
  const path = join(site.images, name);
  const ids = ((await unlessMissing(readdir(site.machines))) ?? []).filter(isMachineId);
  const readings = await Promise.all(ids.map((id) => readRecord(machineDirectory(site, id))));
  if (readings.some((reading) => reading !== undefined && 'record' in reading && reading.record.boot.disk.startsWith(`${path}/`))) {
    throw new ConnectorError('conflict', `Machines stand on the image ${name}`, { hint: 'Terminate them first.' });
  }
  await rm(path, { recursive: true, force: true });
}
