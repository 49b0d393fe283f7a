import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { applyImage, createImage, listImages, removeImage } from './image-factory.ts';
import { printRecord } from '@paceline/connector-host';
import { openSite, type Site } from './site.ts';

const id = 'local-0123456789abcdef';
const owner = { engine: 'engine', run: 'run', node: 'machine' };

async function siteWithMachine(): Promise<Site> {
  const site = await openSite(configSchema.parse({ root: await mkdtemp(join(tmpdir(), 'paceline-local-')) }), true);
  const machine = join(site.machines, id);
  await mkdir(join(machine, 'var/tmp/slipstream/bin'), { recursive: true });
  await mkdir(join(machine, 'var/lib/paceline'), { recursive: true });
  const times = { createdAt: new Date(0), expiresAt: new Date(1) };
  await writeFile(
    join(machine, 'machine.json'),
    printRecord({ id, index: 1, name: 'm', owner, token: 't', address: '127.0.0.9', ...times }),
  );
  await writeFile(join(machine, 'var/tmp/slipstream/bin/web'), 'web', { mode: 0o755 });
  await writeFile(join(machine, 'var/lib/paceline/key'), 'secret');
  return site;
}

test('what recipes have left is an image for others, and nothing that is the machine’s own', async () => {
  const site = await siteWithMachine();
  await createImage(site, id, 'paceline-one');
  expect(await listImages(site)).toEqual([{ name: 'paceline-one', owner }]);
  await expect(createImage(site, id, 'paceline-one')).rejects.toMatchObject({ code: 'conflict' });
  const next = join(site.machines, 'local-1111111111111111');
  await applyImage(site, 'paceline-one', next);
  expect(await readFile(join(next, 'var/tmp/slipstream/bin/web'), 'utf8')).toBe('web');
  await expect(readFile(join(next, 'var/lib/paceline/key'))).rejects.toThrow('ENOENT');
  await removeImage(site, 'paceline-one');
  expect(await listImages(site)).toEqual([]);
  await expect(applyImage(site, 'paceline-one', next)).rejects.toMatchObject({ code: 'notFound' });
});

test('names of images of other clouds mean nothing here, and paths are no names', async () => {
  const site = await siteWithMachine();
  await applyImage(site, 'debian-12', join(site.machines, id));
  await expect(createImage(site, id, '../x')).rejects.toMatchObject({ code: 'invalid' });
  await expect(createImage(site, 'local-none', 'paceline-x')).rejects.toMatchObject({ code: 'notFound' });
  await removeImage(site, '../..');
});
