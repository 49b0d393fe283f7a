import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { filesNow, hasCode, unlessMissing } from '@paceline/connector-host';
import { ConnectorError } from '@paceline/engine/connector';
import { asMachineRoot, runCommand } from './command.ts';
import { removeTrees } from './garbage.ts';
import { findProgram } from './host-facts.ts';
import { readImage } from './image-record.ts';
import type { Site } from './site.ts';

/** What a machine's root file system stands on. */
export interface RootLayers {
  /** Directories, uppermost first. */
  layers: string[];
  /** Whether below all of them are the files of this host. */
  host: boolean;
}

const archives = ['.tar', '.tar.gz', '.tar.xz', '.tar.zst', '.tgz'];

/**
 * Finds what an image is made of: `host` is this host's own files; else a name in the directory of images, of a directory, an archive, or
 * something that `createImage` made. An archive is unpacked once. Only the configuration's own `image`, which stands for nothing, may be
 * an absolute path elsewhere: modules come from anybody.
 * @throws notFound, invalid, unsupported where the host's files cannot be used
 */
export async function resolveLayers(site: Site, named: string, signal: AbortSignal): Promise<RootLayers> {
  const image = named === '' ? (site.config.image ?? '') : named;
  if (image === '' || image === 'host') {
    await checkHost(site);
    return { layers: [], host: true };
  }
  const path = await findImage(site, image);
  const made = await readImage(path);
  if (made !== undefined) {
    return { layers: [join(path, 'layer'), ...made.layers], host: made.host };
  }
  return { layers: [(await stat(path)).isDirectory() ? path : await unpack(site, path, signal)], host: false };
}

/** What an image is now. This host's own files stand for themselves, and archives are unpacked where their names say what they are. */
export async function imageNow(site: Site, image: string, signal: AbortSignal): Promise<string> {
  const { layers } = await resolveLayers(site, image, signal);
  const [top] = layers;
  if (top === undefined) return image;
  return top.startsWith(`${site.cache}/`) ? top : filesNow(layers);
}

async function checkHost(site: Site): Promise<void> {
  if (!site.privileged) {
    throw new ConnectorError('unsupported', "Only root can make machines of this host's own files", {
      hint: `Give the base image an image for this cloud: a root file system with cloud-init, as a directory or archive in ${site.images}.`,
    });
  }
  if ((await findProgram('cloud-init')) === undefined) {
    throw new ConnectorError('unsupported', 'This host has no cloud-init, which its machines would run', {
      hint: 'Install the package cloud-init, or give the base image an image for this cloud.',
    });
  }
}

async function findImage(site: Site, image: string): Promise<string> {
  if (/[,:\\"\n]/.test(image) || image.split('/').includes('..')) {
    throw new ConnectorError('invalid', `${image} cannot be the name of an image`);
  }
  const base = isAbsolute(image) ? image : join(site.images, image);
  if (image !== site.config.image && !base.startsWith(`${site.images}/`)) {
    throw new ConnectorError('invalid', `A module cannot name a file of this host as its image: ${image}`, {
      hint: `Put it into ${site.images}, and give its name there.`,
    });
  }
  const candidates = [base, ...archives.map((ending) => base + ending)];
  const found = await Promise.all(candidates.map((path) => unlessMissing(stat(path))));
  const path = candidates.find((_, at) => found[at] !== undefined);
  if (path === undefined) {
    const there = ((await unlessMissing(readdir(site.images))) ?? []).join(', ');
    throw new ConnectorError('notFound', `There is no image ${base}`, { hint: `${site.images} has: ${there === '' ? 'nothing' : there}` });
  }
  return path;
}

/** Whoever comes first puts it in place; it is known by what the archive is now. */
async function unpack(site: Site, archive: string, signal: AbortSignal): Promise<string> {
  const { size, mtimeMs } = await stat(archive);
  const key = createHash('sha256')
    .update(JSON.stringify([archive, size, mtimeMs, site.privileged]))
    .digest('hex')
    .slice(0, 16);
  const target = join(site.cache, key);
  if ((await unlessMissing(stat(target))) !== undefined) {
    return target;
  }
  const staged = join(site.staging, `image-${randomUUID()}`);
  await mkdir(staged);
  try {
    const options = ['--numeric-owner', '--same-owner', '--same-permissions', '--exclude=./dev/*', '--exclude=dev/*'];
    await runCommand(asMachineRoot(site, ['tar', '-C', staged, ...options, '-xf', archive]), signal);
    await rename(staged, target);
  } catch (error) {
    await removeTrees(site, [staged]);
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) {
      throw error;
    }
  }
  return target;
}
