import { createHash } from 'node:crypto';
import { ConnectorError, readTags, resourceOf, writeTags, type AttachedDisk, type Resource } from '@paceline/engine/connector';
import * as z from 'zod';
import { poolSchema, volumeSchema, writableSchema, type Instance } from './answer.ts';
import type { Client } from './client.ts';
import { unlessUnknown } from './failure.ts';
import { findMachine } from './find-machine.ts';
import { configPrefix } from './tags.ts';

const names = /^paceline[0-9a-f]{12}$/;

/**
 * Gives a machine a volume of the pool that its own disk is in: a container finds it mounted, a virtual machine as a device of that
 * serial number.
 */
export async function attachDisk(
  client: Client,
  id: string,
  { token, gib }: { token: string; gib: number },
  signal: AbortSignal,
): Promise<AttachedDisk> {
  const { path, instance, tags } = await findMachine(client, id, signal);
  const pool = Object.values(instance.expanded_devices ?? {}).find((each) => each['type'] === 'disk' && each['path'] === '/')?.['pool'];
  if (pool === undefined) throw new ConnectorError('unsupported', `Machine ${id} has no disk in a pool`);
  const name = `paceline${createHash('sha256').update(`${id} ${token}`).digest('hex').slice(0, 12)}`;
  const isContainer = instance.type === 'container';
  await makeVolume(client, pool, name, signal, {
    content_type: isContainer ? 'filesystem' : 'block',
    config: { size: `${gib}GiB`, ...writeTags(tags, configPrefix) },
  });
  const place = isContainer ? `/mnt/${name}` : `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_lxd_${name}`;
  if (instance.devices?.[name] === undefined) {
    const device = { type: 'disk', pool, source: name, ...(isContainer && { path: place }) };
    await client.change(`give machine ${id} a disk`, 'PATCH', path, { body: { devices: { [name]: device } }, signal });
  }
  return { id: `${pool}/${name}`, device: place };
}

/** A volume that an earlier attempt has made is taken. */
async function makeVolume(client: Client, pool: string, name: string, signal: AbortSignal, body: object): Promise<void> {
  try {
    const volumes = `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/custom`;
    await client.change(`make the disk ${name}`, 'POST', volumes, { body: { name, ...body }, signal });
  } catch (error) {
    if ((await findVolume(client, `${pool}/${name}`, signal)) === undefined) throw error;
  }
}

/** Takes a disk from a machine, if it has it, and removes it. */
export async function detachDisk(client: Client, id: string, disk: string, signal: AbortSignal): Promise<void> {
  const { path } = await findMachine(client, id, signal);
  const { devices, ...others } = await client.get(`look up machine ${id}`, path, writableSchema, { signal });
  const { [disk.split('/').at(-1) ?? '']: device, ...rest } = devices ?? {};
  if (device !== undefined)
    await client.change(`take a disk from machine ${id}`, 'PUT', path, { body: { ...others, devices: rest }, signal });
  await removeDisk(client, disk, signal);
}

/** @param id `POOL/NAME`. What is not there is no failure. @throws forbidden when it is not ours */
export async function removeDisk(client: Client, id: string, signal: AbortSignal): Promise<void> {
  const volume = await findVolume(client, id, signal);
  if (volume === undefined) return;
  if (readTags(volume.config, configPrefix) === undefined) {
    throw new ConnectorError('forbidden', `${id} is not a disk of ours: it does not carry our tags`);
  }
  await unlessUnknown(client.change(`remove the disk ${id}`, 'DELETE', volume.path, { signal }));
}

/** The disks that a machine was given. */
export function disksOf({ devices }: Instance): string[] {
  return Object.entries(devices ?? {}).flatMap(([name, { pool, source }]) =>
    pool !== undefined && source === name && names.test(name) ? [`${pool}/${name}`] : [],
  );
}

/** All disks of ours, of every pool. */
export async function listDisks(client: Client, signal: AbortSignal): Promise<Resource[]> {
  const recursion = { recursion: '1' };
  const pools = await client.get('list pools', '/1.0/storage-pools', z.array(poolSchema), { query: recursion, signal });
  const found = await Promise.all(
    pools.map(async ({ name: pool }) => {
      const path = `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/custom`;
      const volumes = await client.get(`list the disks of pool ${pool}`, path, z.array(volumeSchema), { query: recursion, signal });
      return volumes.flatMap(
        ({ name, config }) => resourceOf({ kind: 'disk', id: `${pool}/${name}`, name }, readTags(config, configPrefix)) ?? [],
      );
    }),
  );
  return found.flat();
}

async function findVolume(
  client: Client,
  id: string,
  signal: AbortSignal,
): Promise<{ path: string; config: Record<string, string> | null } | undefined> {
  const [pool = '', name = ''] = id.split('/');
  if (pool === '' || !names.test(name)) return undefined;
  const path = `/1.0/storage-pools/${encodeURIComponent(pool)}/volumes/custom/${name}`;
  const volume = await unlessUnknown(client.get(`look up the disk ${id}`, path, volumeSchema, { signal }));
  return volume && { path, config: volume.config };
}
