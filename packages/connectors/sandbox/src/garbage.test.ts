import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { removeWithin } from './garbage.ts';
import { openSite } from './site.ts';

test('what is removed of the files of a machine is never reached through a link that it has made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paceline garbage-'));
  try {
    // The files are ours, so there is no need to be root among the users of machines.
    const site = await openSite(configSchema.parse({ root: join(folder, 'root') }), true, 0);
    const host = join(folder, 'host');
    await mkdir(join(host, 'ssh'), { recursive: true });
    await mkdir(join(host, 'tmp'));
    await Promise.all(['hosts', 'ssh/key', 'tmp/file'].map((name) => writeFile(join(host, name), 'of the host')));
    const layer = join(folder, 'layer');
    await mkdir(join(layer, 'var/log'), { recursive: true });
    await mkdir(join(layer, 'usr'));
    await symlink(host, join(layer, 'etc'));
    await symlink('../../host/ssh', join(layer, 'usr/ssh'));
    await symlink(join(host, 'tmp'), join(layer, 'tmp'));
    await mkdir(join(layer, 'var/lib'));
    await symlink(host, join(layer, 'var/lib/deep'));
    await writeFile(join(layer, 'var/log/one'), 'of the machine');

    await removeWithin(site, layer, ['etc/hosts', 'etc/ssh/key', 'usr/ssh/key', 'tmp', 'var/lib', 'var/log/one', 'var/none/file']);
    expect((await readdir(host, { recursive: true })).toSorted()).toEqual(['hosts', 'ssh', 'ssh/key', 'tmp', 'tmp/file']);
    expect(['tmp', 'var/lib', 'var/log/one'].filter((name) => existsSync(join(layer, name)))).toEqual([]);
    expect((await readdir(layer)).toSorted()).toEqual(['etc', 'usr', 'var']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
