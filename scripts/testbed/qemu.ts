import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { offerCloud, withdrawCloud } from './clouds.ts';
import { installPackages } from './packages.ts';
import { run, step } from './shell.ts';

const root = process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed';
const home = join(root, 'qemu');
const images = join(home, 'images');
const image = join(images, 'debian-12');

const packages: Record<string, string> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  mmdebstrap: 'mmdebstrap',
  'mkfs.ext4': 'e2fsprogs',
  cpio: 'cpio',
};

/** QEMU from the packages of Debian, and an image that boots without a boot loader. There is nothing that would have to run. */
export const qemu = {
  async up(): Promise<void> {
    await mkdir(images, { recursive: true });
    await installPackages(packages);
    await provideImage();
    console.log(`The image is ${image}.`);
    await offerCloud('qemu', { connector: 'qemu', image, memoryMiB: 400 });
  },

  async remove(): Promise<void> {
    if (!existsSync(home)) return console.log('There is none.');
    await withdrawCloud('qemu');
    await rm(home, { recursive: true });
    console.log('Removed, but for the packages: apt-get remove qemu-system-x86 qemu-utils');
  },
};

/** Builds the image when its recipe has changed. The one before goes: tests leave no machines that stand on it. */
async function provideImage(): Promise<void> {
  const recipe = join(import.meta.dirname, 'qemu-image.sh');
  const node = await realpath(process.execPath);
  const version = createHash('sha256').update(readFileSync(recipe)).update(process.version).digest('hex').slice(0, 16);
  const folder = join(images, version);
  if (!existsSync(folder)) {
    await step('Building the image (takes two minutes or three)', () => run(recipe, [folder, node], { limit: 900_000 }));
  }
  const link = join(images, '.debian-12');
  await rm(link, { force: true });
  await symlink(version, link);
  await rename(link, image);
  for (const old of await readdir(images))
    if (/^[0-9a-f]{16}(\.|$)/.test(old) && old !== version) await rm(join(images, old), { recursive: true });
}
