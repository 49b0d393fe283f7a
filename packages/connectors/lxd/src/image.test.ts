import { expect, test } from 'vitest';
import { findImage } from './image.ts';
import { openImageServer } from './testing/image-server.ts';
import { context, openLxd } from './testing/lxd.ts';
import { withLxd } from './testing/with-lxd.ts';

const { signal } = context;

test(
  'an image of a remote is brought once; an image of the server is found by alias and by fingerprint',
  withLxd(async () => {
    await using server = await openImageServer();
    await using lxd = await openLxd({ remotes: { tiny: { server: server.url } } });
    const find = (image: string) => findImage(lxd.client, lxd.config, image, signal);
    try {
      expect(await find('tiny:tiny')).toBe(server.fingerprint);
      expect(await find('tiny:tiny')).toBe(server.fingerprint);
      expect(await find(server.fingerprint.slice(0, 12))).toBe(server.fingerprint);
      expect(await find(lxd.config.image ?? '')).toMatch(/^[0-9a-f]{64}$/);
      await expect(find('tiny:other')).rejects.toMatchObject({ code: 'notFound' });
      await expect(find('')).rejects.toMatchObject({ code: 'invalid' });
    } finally {
      await lxd.client.change('remove it', 'DELETE', `/1.0/images/${server.fingerprint}`, { signal }).catch(() => undefined);
    }
  }),
  60_000,
);
