import { execFileSync } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { imageNow, resolveLayers } from './image.ts';
import { openSite } from './site.ts';
import { context, first, openEngine, openSandbox, until } from './testing/sandbox.ts';
import { withMachines } from './testing/with-machines.ts';

test('a directory is taken as it is, an archive is unpacked once', async () => {
  await using sandbox = await openSandbox();
  const site = await openSite(sandbox.config, true);
  await mkdir(join(site.images, 'plain', 'etc'), { recursive: true });
  await writeFile(join(site.images, 'plain', 'etc', 'issue'), 'hello\n');
  expect(await resolveLayers(site, 'plain', context.signal)).toEqual({ layers: [join(site.images, 'plain')], host: false });

  if (process.getuid?.() !== 0) return;
  execFileSync('tar', ['-C', join(site.images, 'plain'), '-czf', join(site.images, 'packed.tar.gz'), '.']);
  const layers = await Promise.all([1, 2].map(() => resolveLayers(site, 'packed', context.signal)));
  expect(layers[0]).toEqual(layers[1]);
  expect(await readdir(first(layers[0]?.layers ?? []))).toEqual(['etc']);
  const now = await imageNow(site, 'packed', context.signal);
  expect(await imageNow(site, 'packed', context.signal)).toBe(now);
  expect(await readdir(site.cache)).toHaveLength(1);
  expect(await readdir(site.staging)).toEqual([]);
  expect(await resolveLayers(site, join(site.images, 'packed.tar.gz'), context.signal)).toEqual(layers[0]);
  execFileSync('tar', ['-C', site.images, '-czf', join(site.images, 'packed.tar.gz'), 'plain']);
  expect(await imageNow(site, 'packed', context.signal)).not.toBe(now);
});

test('a module names no other file of this host; the configuration does', async () => {
  await using sandbox = await openSandbox({ image: '/usr/share' });
  const site = await openSite(sandbox.config, true);
  for (const image of ['/etc', sandbox.config.root, `${site.images}x`, '/'])
    await expect(resolveLayers(site, image, context.signal)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(image),
    });
  for (const image of ['', '/usr/share'])
    expect(await resolveLayers(site, image, context.signal)).toEqual({ layers: ['/usr/share'], host: false });
});

test(
  'a machine becomes an image on which others stand, also layer upon layer',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await using home = await openEngine();
    const make = (name: string) =>
      `#!/bin/sh\necho ${name} >/etc/${name}; echo ${name} >/root/${name}\nrm -f /etc/issue.net\nsync\ncurl -s -d x ${home.url}/${name}\n`;
    const one = await sandbox.launchOne(make('one'));
    await home.posted('/one');
    expect(await sandbox.createImage(one, 'first')).toMatchObject({ name: 'first', owner: { run: 'run-1' } });
    await expect(sandbox.createImage(one, 'first')).rejects.toMatchObject({ code: 'conflict' });
    await expect(sandbox.createImage({ id: 'nobody' }, 'second')).rejects.toMatchObject({ code: 'notFound' });

    const two = await sandbox.launchOne(make('two'), { image: 'first' });
    await home.posted('/two');
    await sandbox.createImage(two, 'second');
    await sandbox.launchOne(
      `#!/bin/sh\n{ cat /etc/one /etc/two /root/one; ls /etc/issue.net /root/.ssh/id_rsa 2>&1 | grep -c 'No such'; hostname; } | curl -s --data-binary @- ${home.url}/both\n`,
      { image: 'second' },
    );
    expect(await home.posted('/both')).toBe('one\ntwo\none\n2\nserver-1\n');

    const images = (await sandbox.list()).filter(({ kind }) => kind === 'image');
    expect(images.map(({ id }) => id).toSorted()).toEqual(['first', 'second']);
    await expect(sandbox.connector.remove?.(first(images), context)).rejects.toMatchObject({ code: 'conflict' });
  }),
  60_000,
);

test(
  'a machine whose image has no cloud-init is an error that says so',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    const site = await openSite(sandbox.config, true);
    const image = join(site.images, 'bare');
    await mkdir(join(image, 'bin'), { recursive: true });
    execFileSync('sh', [
      '-c',
      `cp -L "$(command -v sh)" "$1/bin/sh"; ldd "$1/bin/sh" | grep -o '/[^ ]*' | xargs -I{} cp -L --parents {} "$1"`,
      'sh',
      image,
    ]);
    const machine = await sandbox.launchOne('#!/bin/sh\n', { image: 'bare' });
    const fault = await until('it fails', async () => (await sandbox.describe(machine.id))?.fault);
    expect((await sandbox.describe(machine.id))?.state).toBe('error');
    expect(fault).toMatch(/cloud-init|ended with status/);
  }),
  60_000,
);

test(
  'a machine stands still while it becomes an image, and goes on afterwards',
  withMachines(async () => {
    await using sandbox = await openSandbox();
    await using home = await openEngine();
    const machine = await sandbox.launchOne(
      `#!/bin/sh\ni=0; while i=$((i + 1)); do echo x >>/etc/one; echo x >>/etc/two; [ $i -ne 100 ] || curl -s -d x ${home.url}/up; done\n`,
    );
    await home.posted('/up');
    await sandbox.createImage(machine, 'still');
    const layer = join(sandbox.config.root, 'images', 'still', 'layer', 'etc');
    const [one = 0, two = 0] = await Promise.all(['one', 'two'].map(async (name) => (await stat(join(layer, name))).size));
    expect(Math.abs(one - two)).toBeLessThanOrEqual(2);
    await until('it goes on', async () => (await stat(sandbox.path(machine, 'upper', 'etc', 'one'))).size > one);
  }),
  60_000,
);
