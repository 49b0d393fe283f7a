import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plannedMachine, recordIntent as recordMachine } from '@paceline/connector-host';
import type { LaunchRequest, MachineRequest } from '@paceline/engine/connector';
import { createOverlay } from './disk.ts';
import { readRecord, type Boot, type MachineRecord } from './machine-record.ts';
import { claimAddress, networkConfig } from './network.ts';
import { machineDirectory, machineId, type Site } from './site.ts';

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
    fill: (directory, record) => fill(directory, record, wanted.userData, diskGiB),
  });
}

async function fill(directory: string, record: MachineRecord, userData: Uint8Array, diskGiB: number | undefined): Promise<void> {
  const seed = join(directory, 'seed');
  await mkdir(seed);
  await Promise.all([
    createOverlay(join(directory, 'disk.qcow2'), record.boot, diskGiB),
    writeFile(join(seed, 'user-data'), userData, { mode: 0o600 }),
    writeFile(join(seed, 'meta-data'), `${JSON.stringify({ 'instance-id': record.id, 'local-hostname': record.name })}\n`),
    writeFile(join(seed, 'network-config'), `${networkConfig(record.id, record.address)}\n`),
    writeFile(join(directory, 'console.log'), ''),
  ]);
}
