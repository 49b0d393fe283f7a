import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plannedMachine, recordIntent as recordMachine } from '@paceline/connector-host';
import type { LaunchRequest, MachineRequest } from '@paceline/engine/connector';
import { claimAddress, releaseAddress } from './address.ts';
import { bootScript } from './boot-script.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { runDirectory } from './run-directory.ts';
import { machineId, type Site } from './site.ts';

/** Writes down that there shall be this machine, and claims an address for it. */
export async function recordIntent(site: Site, request: LaunchRequest, wanted: MachineRequest, now: number): Promise<MachineRecord> {
  const id = machineId(site, request, wanted.index);
  const machine = join(site.machines, id);
  const { owner, token } = request;
  let planned: MachineRecord | undefined;
  let kept: MachineRecord | undefined;
  try {
    kept = await recordMachine<MachineRecord>({
      machine,
      staging: site.staging,
      request,
      read: readRecord,
      plan: async () => {
        planned = { ...plannedMachine(id, request, wanted, now), address: await claimAddress(site, { machine, owner, token }) };
        return planned;
      },
      fill: (directory, record) => fill(directory, site, record, wanted.userData),
    });
    return kept;
  } finally {
    if (planned !== undefined && planned !== kept) await releaseAddress(site, planned.address, machine);
  }
}

async function fill(directory: string, site: Site, record: MachineRecord, userData: Uint8Array): Promise<void> {
  await Promise.all([
    // Tells the owner even if machine.json does not any more.
    symlink(runDirectory(site, record.owner), join(directory, 'run')),
    // For the supervisor, which reads no JSON: whole seconds, not earlier than the time that was asked for.
    writeFile(join(directory, 'expires'), `${Math.ceil(record.expiresAt.getTime() / 1000)}\n`),
    writeFile(join(directory, 'user-data'), userData, { mode: 0o700 }),
    writeFile(join(directory, 'boot.sh'), bootScript),
    writeFile(join(directory, 'console.log'), ''),
    mkdir(join(directory, 'home')),
    mkdir(join(directory, 'tmp')),
  ]);
}
