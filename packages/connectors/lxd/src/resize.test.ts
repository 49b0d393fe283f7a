import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { instanceSchema } from './answer.ts';
import { context, openEngine, openLxd } from './testing/lxd.ts';
import { withLxd } from './testing/with-lxd.ts';

test(
  'a machine that runs is given other processors and memory, and goes on',
  withLxd(async () => {
    await using lxd = await openLxd();
    await using home = await openEngine();
    // It tells what it has, at first and whenever that has changed.
    const userData = [
      '#!/bin/sh',
      'boot=$(cat /proc/sys/kernel/random/uuid)',
      'said=',
      'while true; do',
      // Both generations of control groups.
      '  cd /sys/fs/cgroup',
      '  memory=$(cat memory.max memory/memory.limit_in_bytes 2>/dev/null)',
      '  has="$(nproc) $memory"',
      '  if [ "$has" != "$said" ]; then',
      '    n=$((n + 1))',
      `    echo "$boot $has" | curl -s --data-binary @- ${home.url}/$n`,
      '    said=$has',
      '  fi',
      '  sleep 0.2',
      'done',
    ].join('\n');
    const { id } = await lxd.launchOne(userData, { cpus: 0.5, memoryMiB: 256 });
    const [boot, ...first] = (await home.posted('/1')).trim().split(' ');
    expect(first).toEqual(['1', String(256 * 2 ** 20)]);
    await lxd.connector.resize?.(id, { memoryMiB: 512 }, context);
    expect((await home.posted('/2')).trim()).toBe(`${boot} 1 ${512 * 2 ** 20}`);
    await lxd.connector.resize?.(id, { cpus: 2 }, context);
    expect((await home.posted('/3')).trim()).toBe(`${boot} ${Math.min(2, availableParallelism())} ${512 * 2 ** 20}`);
    await lxd.connector.resize?.(id, { cpus: 2 }, context);
    // Not every kernel has shares of processors; what the server keeps of them tells.
    const { config } = await lxd.client.get('look', `/1.0/instances/${id}`, instanceSchema, { signal: context.signal });
    expect([config?.['limits.cpu'], config?.['limits.cpu.allowance']]).toEqual(['2', undefined]);
    expect((await lxd.describe(id))?.state).toBe('running');
    await expect(lxd.connector.resize?.('server-9', { cpus: 1 }, context)).rejects.toMatchObject({ code: 'notFound' });
    await expect(lxd.connector.resize?.('../1.0', { cpus: 1 }, context)).rejects.toMatchObject({ code: 'notFound' });
  }),
  120_000,
);
