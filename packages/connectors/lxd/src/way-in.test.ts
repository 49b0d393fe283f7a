import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createLxdConnector } from './lxd-connector.ts';
import { configSchema } from './config.ts';
import { context, openEngine, openLxd } from './testing/lxd.ts';
import { withLxd } from './testing/with-lxd.ts';

test(
  'a container is entered where its first process is, for as long as that runs',
  withLxd(async () => {
    await using lxd = await openLxd();
    await using home = await openEngine();
    const { id } = await lxd.launchOne(`#!/bin/sh\ncurl -s --data-binary up ${home.url}/up\n`);
    await home.posted('/up');
    const way = await lxd.connector.wayIn?.(id, context);
    expect(way).toEqual({ kind: 'namespaces', pid: expect.any(Number) });
    const pid = way?.kind === 'namespaces' ? way.pid : 0;
    expect(readFileSync(`/proc/${pid}/root/etc/hostname`, 'utf8').trim()).toBe(id);
    for (const absent of ['server-9', '../1.0'])
      await expect(lxd.connector.wayIn?.(absent, context)).rejects.toMatchObject({ code: 'notFound' });
    await lxd.client.change('stop it', 'PUT', `/1.0/instances/${id}/state`, {
      body: { action: 'stop', force: true },
      signal: context.signal,
    });
    await expect(lxd.connector.wayIn?.(id, context)).rejects.toMatchObject({ code: 'notFound', message: `${id} does not run` });
  }),
  180_000,
);

test('virtual machines, and machines of a server elsewhere, are left to SSH', () => {
  const remote = { url: 'https://lxd.example:8443', certificate: '/c', key: '/k' };
  for (const settings of [{ type: 'virtual-machine' }, remote])
    expect('wayIn' in createLxdConnector(configSchema.parse(settings))).toBe(false);
});
