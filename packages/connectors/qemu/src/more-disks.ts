import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ConnectorError, type AttachedDisk } from '@paceline/engine/connector';
import * as z from 'zod';
import { createEmpty } from './disk.ts';
import { Monitor } from './monitor.ts';
import { diskController } from './emulator.ts';
import { readRecord } from './machine-record.ts';
import { isMachineId, machineDirectory, type Site } from './site.ts';

/** The folder of a machine's disks beside the one that it boots from. */
export const moreDisks = 'disks';

const names = /^paceline[0-9a-f]{12}$/;

/** Gives a machine that runs a disk, which ends with it. @throws notFound, unavailable while it is not started, unsupported */
export async function attachDisk(
  site: Site,
  id: string,
  { token, gib }: { token: string; gib: number },
  signal: AbortSignal,
): Promise<AttachedDisk> {
  const machine = await findMachine(site, id);
  const name = `paceline${createHash('sha256').update(`${id} ${token}`).digest('hex').slice(0, 12)}`;
  const file = fileOf(name);
  const done = await Monitor.talk(machine, `give machine ${id} a disk`, signal, async (monitor) => {
    const { devices, nodes } = await partsOf(monitor);
    if (!devices.has(diskController))
      throw new ConnectorError(
        'unsupported',
        `Machine ${id} was started by an earlier version, which gave machines no place for more disks`,
      );
    if (!nodes.has(name)) {
      await mkdir(join(machine, moreDisks), { recursive: true });
      await createEmpty(join(machine, file), gib, signal);
      const content = { driver: 'file', filename: file };
      await monitor.ask('blockdev-add', {
        driver: 'qcow2',
        'node-name': name,
        file: content,
        discard: 'unmap',
        cache: { 'no-flush': true },
      });
    }
    if (!devices.has(name))
      await monitor.ask('device_add', { driver: 'scsi-hd', id: name, bus: `${diskController}.0`, drive: name, serial: name });
    return true;
  });
  if (done === undefined) throw new ConnectorError('unavailable', `Machine ${id} does not run yet, or not any more`);
  return { id: name, device: `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${name}` };
}

/** Takes a disk from a machine, if it has it, and removes it. */
export async function detachDisk(site: Site, id: string, disk: string, signal: AbortSignal): Promise<void> {
  const machine = await findMachine(site, id);
  if (!names.test(disk)) return;
  await Monitor.talk(machine, `take a disk from machine ${id}`, signal, async (monitor) => {
    const { devices, nodes } = await partsOf(monitor);
    if (devices.has(disk)) {
      await monitor.ask('device_del', { id: disk });
      await monitor.event((event, { device }) => (event === 'DEVICE_DELETED' && device === disk ? true : undefined));
    }
    if (nodes.has(disk)) await monitor.ask('blockdev-del', { 'node-name': disk });
  });
  await rm(join(machine, fileOf(disk)), { force: true });
}

const devicesSchema = z.array(z.object({ name: z.string() }));
const nodesSchema = z.array(z.object({ 'node-name': z.string().optional() }));

/** What a machine has of what has a name. */
async function partsOf(monitor: Monitor): Promise<{ devices: Set<string>; nodes: Set<string | undefined> }> {
  const devices = devicesSchema.parse(await monitor.ask('qom-list', { path: '/machine/peripheral' }));
  const nodes = nodesSchema.parse(await monitor.ask('query-named-block-nodes', { flat: true }));
  return { devices: new Set(devices.map(({ name }) => name)), nodes: new Set(nodes.map((node) => node['node-name'])) };
}

function fileOf(name: string): string {
  return join(moreDisks, `${name}.qcow2`);
}

async function findMachine(site: Site, id: string): Promise<string> {
  const machine = machineDirectory(site, id);
  if (!isMachineId(id) || (await readRecord(machine)) === undefined) throw new ConnectorError('notFound', `There is no machine ${id}`);
  return machine;
}
