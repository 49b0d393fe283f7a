import { expect, test } from 'vitest';
import { createImage } from './index.ts';
import { context, openEngine, openLxd } from './testing/lxd.ts';
import { withLxd } from './testing/with-lxd.ts';

test(
  'what a machine has become is an image for others, which are machines of their own',
  withLxd(async () => {
    await using lxd = await openLxd();
    await using home = await openEngine();
    const userData = [
      '#!/bin/sh',
      'ls /opt/made >/tmp/seen 2>/dev/null; touch /opt/made',
      `{ hostname; cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub /tmp/seen; } | curl -s --data-binary @- ${home.url}/$(hostname)`,
      'sync',
    ].join('\n');
    const origin = await lxd.launchOne(userData);
    const [name, ...own] = (await home.posted(`/${origin.name}`)).trim().split('\n');
    expect([name, own.length]).toEqual([origin.name, 2]);

    const alias = `paceline-test-${lxd.suffix}`;
    const image = await createImage(lxd.config, origin.id, alias, context);
    try {
      expect(image).toMatchObject({ name: alias, owner: { run: 'run-1' } });
      expect((await lxd.list()).map(({ kind, id }) => `${kind} ${id}`)).toEqual([`machine ${origin.id}`, `image ${image.fingerprint}`]);
      expect((await lxd.describe(origin.id))?.state).toBe('running');
      await expect(createImage(lxd.config, origin.id, alias, context)).rejects.toMatchObject({ code: 'conflict' });

      const machines = [{ index: 2, name: `child-${lxd.suffix}`, userData: new TextEncoder().encode(userData) }];
      const child = await lxd.launchOne('', { image: alias, machines });
      const said = (await home.posted(`/${child.name}`)).trim().split('\n');
      expect(said).toEqual([child.name, expect.any(String), expect.any(String), '/opt/made']);
      expect(own).not.toContain(said[1]);
      expect(own).not.toContain(said[2]);
    } finally {
      await lxd.connector.remove?.({ kind: 'image', id: image.fingerprint, name: alias, owner: image.owner }, context);
    }
    expect((await lxd.list()).filter(({ kind }) => kind === 'image')).toEqual([]);
  }),
  180_000,
);

test(
  'of a machine that is not there, or under a name that cannot be, no image is made',
  withLxd(async () => {
    await using lxd = await openLxd();
    await expect(createImage(lxd.config, 'server-9', 'x', context)).rejects.toMatchObject({ code: 'notFound' });
    await expect(createImage(lxd.config, 'server-9', '../x', context)).rejects.toMatchObject({ code: 'invalid' });
    expect(await lxd.instances()).toEqual([]);
  }),
);
