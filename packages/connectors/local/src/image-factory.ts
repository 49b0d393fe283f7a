import { randomUUID } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import * as z from 'zod';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { isMachineId, type Site } from './site.ts';

/** What recipes leave on a machine: the folder that they work in, and their home. The rest of its directory is its own. */
const kept = ['home', 'var/tmp/slipstream'];

const recordSchema = z.object({ name: z.string(), owner: z.object({ engine: z.string(), run: z.string(), node: z.string() }) });
export type ImageRecord = z.infer<typeof recordSchema>;

const namePattern = /^paceline-[a-z0-9._-]{1,90}$/;

/**
 * Keeps what a machine's recipes have written as a directory tree for others.
 * @throws notFound, invalid, conflict when there is an image of this name
 */
export async function createImage(site: Site, id: string, name: string): Promise<void> {
  if (!namePattern.test(name)) throw new ConnectorError('invalid', `${name} cannot be the name of an image`);
  const machine = join(site.machines, id);
  const reading = isMachineId(id) ? await readRecord(machine) : undefined;
  if (reading === undefined || 'damaged' in reading)
    throw new ConnectorError('notFound', `There is no machine ${id} that an image could be made of`);
  const { owner }: MachineRecord = reading.record;
  const staged = join(site.staging, `image-${randomUUID()}`);
  try {
    for (const folder of kept) await copyTree(join(machine, folder), join(staged, 'tree', folder));
    await writeFile(join(staged, 'image.json'), `${JSON.stringify({ name, owner })}\n`);
    await mkdir(site.images, { recursive: true });
    await rename(staged, join(site.images, name));
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if ((await unlessMissing(stat(join(site.images, name)))) === undefined) throw error;
    throw new ConnectorError('conflict', `There is an image ${name} already`, { cause: error });
  }
}

/** The tree of an image; undefined for names of other clouds' images: a local machine has this host's files. @throws notFound */
export async function findTree(site: Site, image: string): Promise<string | undefined> {
  if (!namePattern.test(image)) return undefined;
  const tree = join(site.images, image, 'tree');
  if ((await unlessMissing(stat(tree))) === undefined) throw new ConnectorError('notFound', `There is no image ${image}`);
  return tree;
}

/** Puts what an image holds into a machine that has not been started. @throws notFound */
export async function applyImage(site: Site, image: string, machine: string): Promise<void> {
  const tree = await findTree(site, image);
  if (tree === undefined) return;
  for (const folder of kept) await copyTree(join(tree, folder), join(machine, folder));
}

export async function listImages(site: Site): Promise<ImageRecord[]> {
  const names = (await unlessMissing(readdir(site.images))) ?? [];
  const texts = await Promise.all(names.map((name) => unlessMissing(readFile(join(site.images, name, 'image.json'), 'utf8'))));
  return texts.flatMap((text) => (text === undefined ? [] : [recordSchema.parse(JSON.parse(text))]));
}

/** One that is not there is removed. */
export async function removeImage(site: Site, name: string): Promise<void> {
  if (namePattern.test(name)) await rm(join(site.images, name), { recursive: true, force: true });
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const there = await unlessMissing(stat(from));
  if (there !== undefined) await cp(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}
