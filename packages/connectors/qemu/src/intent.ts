import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plannedMachine, recordIntent as recordMachine } from '@paceline/connector-host';
import type { LaunchRequest, MachineRequest } from '@paceline/engine/connector';
import { createOverlay } from './disk.ts';
import { readRecord, type Boot, type MachineRecord } from './machine-record.ts';
import { claimAddress, networkConfig } from './network.ts';
import { machineDirectory, machineId, type Site } from './site.ts';
import { giveHostKey } from './way-in.ts';

/** Writes down that there shall be this machine, with all that it needs. */
export async function recordIntent(
  site: Site,
  request: LaunchRequest,
  wanted: MachineRequest,
  boot: Boot,
  now: number,
): Promise<MachineRecord> {
  const id = machineId(site, request, wanted.index);
  const { owner, cpus, memoryMiB, diskGiB } = request;
  return recordMachine<MachineRecord>({
    machine: machineDirectory(site, id),
    staging: site.staging,
    request,
    read: readRecord,
    plan: async () => ({
      ...(boot.login !== undefined && { login: boot.login }),
      ...plannedMachine(id, request, wanted, now),
      boot,
      cpus: Math.max(1, Math.ceil(cpus ?? 1)),
      memoryMiB: Math.ceil(memoryMiB ?? site.config.memoryMiB),
      address: await claimAddress(site, owner, id),
    }),
    fill: (directory, record) => fill(directory, record, { userData: wanted.userData, diskGiB, publicKeys: site.config.publicKeys }),
  });
}

interface Content {
  userData: Uint8Array;
  diskGiB: number | undefined;
  publicKeys: readonly string[];
}

async function fill(directory: string, record: MachineRecord, { userData, diskGiB, publicKeys }: Content): Promise<void> {
  const { id, name, boot } = record;
  const seed = join(directory, 'seed');
  await mkdir(seed);
  await Promise.all([
    createOverlay(join(directory, 'disk.qcow2'), boot, diskGiB),
    writeFile(join(seed, 'user-data'), userData, { mode: 0o600 }),
    writeFile(join(seed, 'meta-data'), `${JSON.stringify({ 'instance-id': id, 'local-hostname': name, 'public-keys': publicKeys })}\n`),
    writeFile(join(seed, 'network-config'), `${networkConfig(id, record.address)}\n`),
    giveHostKey(directory, join(seed, 'vendor-data')),
    writeFile(join(directory, 'console.log'), ''),
  ]);
}
