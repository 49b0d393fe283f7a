import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { filesNow, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import type * as z from 'zod';
import { imageSettings } from './config.ts';
import { inspectDisk } from './disk-format.ts';
import type { Boot } from './machine-record.ts';
import type { Site } from './site.ts';

/**
 * What an image boots from: one of the configuration or of `createImage` by its name, or a disk by its URL with `#sha256=…`. Only the
 * configuration's own `image` may also be the absolute path of a disk, or of a folder with an `image.json`: modules come from anybody.
 * @throws notFound, invalid
 */
export async function resolveImage(site: Site, named: string, signal: AbortSignal): Promise<Boot> {
  const image = named === '' ? (site.config.image ?? '') : named;
  if (image === '') {
    throw new ConnectorError('invalid', 'No image is named', { hint: 'Name one in the module, or set `image` of the cloud.' });
  }
  const configured = site.config.images[image];
  if (configured !== undefined) {
    const { disk, sha256, ...rest } = configured;
    return withFormat({ ...rest, disk: isAbsolute(disk) ? disk : await fetchDisk(site, disk, sha256, signal) }, image, signal);
  }
  if (/^https?:/.test(image)) {
    const [url = '', , sha256] = image.split(/#(sha256=)?/);
    return withFormat({ disk: await fetchDisk(site, url, sha256, signal) }, image, signal);
  }
  if (isAbsolute(image) && image !== site.config.image) {
    throw new ConnectorError('invalid', `A module cannot name a file of this host as its image: ${image}`, {
      hint: 'Give it a name in `images` of the cloud, and name that.',
    });
  }
  if (image.includes(',') || image.includes('\n') || (!isAbsolute(image) && !/^[a-z0-9][a-z0-9._-]{0,99}$/.test(image))) {
    throw new ConnectorError('invalid', `${image} cannot be the name of an image`);
  }
  return readImage(site, image, signal);
}

/** What an image is now. Disks that were fetched are known by their digests, which their names are. @throws as {@link resolveImage} */
export async function imageNow(site: Site, named: string, signal: AbortSignal): Promise<string> {
  const { disk, kernel, initrd } = await resolveImage(site, named, signal);
  if (disk.startsWith(`${site.cache}/`)) return disk;
  return filesNow([disk, kernel, initrd].filter((path) => path !== undefined));
}

async function readImage(site: Site, image: string, signal: AbortSignal): Promise<Boot> {
  const path = isAbsolute(image) ? image : join(site.images, image);
  const found = await unlessMissing(stat(path));
  if (found === undefined) {
    const names = [...Object.keys(site.config.images), ...((await unlessMissing(readdir(site.images))) ?? [])];
    throw new ConnectorError('notFound', `There is no image ${image}`, {
      hint: `There are: ${names.length === 0 ? 'none' : names.join(', ')}.`,
    });
  }
  if (!found.isDirectory()) {
    return withFormat({ disk: path }, image, signal);
  }
  const settings = await readSettings(path, image);
  const inside = (name: string): string => resolve(path, name);
  const { disk, kernel, initrd, ...rest } = settings;
  const files = { ...(kernel !== undefined && { kernel: inside(kernel) }), ...(initrd !== undefined && { initrd: inside(initrd) }) };
  return withFormat({ ...rest, disk: inside(disk), ...files }, image, signal);
}

async function readSettings(path: string, image: string): Promise<z.output<typeof imageSettings>> {
  const text = await unlessMissing(readFile(join(path, 'image.json'), 'utf8'));
  if (text === undefined) {
    throw new ConnectorError('invalid', `The image ${image} is a folder without image.json`);
  }
  try {
    return imageSettings.loose().parse(JSON.parse(text));
  } catch (cause) {
    throw new ConnectorError('invalid', `image.json of the image ${image} cannot be used`, { cause });
  }
}

async function withFormat(
  { disk, kernel, initrd, append, login }: Partial<Boot> & { disk: string },
  image: string,
  signal: AbortSignal,
): Promise<Boot> {
  const format = await unlessMissing(inspectDisk(disk, image, signal));
  if (format === undefined) {
    throw new ConnectorError('notFound', `The disk ${disk} of the image ${image} is not there`);
  }
  const optional = Object.entries({ kernel, initrd, append, login }).filter(([, value]) => value !== undefined);
  return { disk, format, ...Object.fromEntries(optional) };
}

/** Whoever comes first puts it in place; it is known by its digest, without which nothing of the network is run. */
async function fetchDisk(site: Site, url: string, sha256: string | undefined, signal: AbortSignal): Promise<string> {
  if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new ConnectorError('invalid', `The image ${url} needs the SHA-256 of its disk`, { hint: 'Write URL#sha256=…, or set `sha256`.' });
  }
  const target = join(site.cache, sha256);
  if ((await unlessMissing(stat(target))) !== undefined) {
    return target;
  }
  const staged = join(site.staging, `disk-${randomUUID()}`);
  const hash = createHash('sha256');
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const response = await fetch(url, { signal }).catch((cause: unknown) => {
      throw new ConnectorError(signal.aborted ? 'timeout' : 'unavailable', `Could not fetch ${url}: ${String(cause)}`, { cause });
    });
    if (!response.ok || response.body === null) {
      throw new ConnectorError(response.status === 404 ? 'notFound' : 'unavailable', `Could not fetch ${url}: ${response.status}`);
    }
    await pipeline(Readable.from(response.body), count, createWriteStream(staged), { signal });
    const got = hash.digest('hex');
    if (got !== sha256) {
      throw new ConnectorError('invalid', `${url} has SHA-256 ${got}, expected ${sha256}`, {
        hint: 'Correct the digest, or do not use that disk.',
      });
    }
    await rename(staged, target);
    return target;
  } finally {
    await rm(staged, { force: true });
  }
}
