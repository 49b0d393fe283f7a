import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flushDirectory, hasCode, printRecord, writeDurably } from '@paceline/connector-host';
import { ConnectorError, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import { createOverlay } from './disk.ts';
import { readRecord, type Boot, type MachineRecord } from './machine-record.ts';
import { claimAddress, networkConfig } from './network.ts';
import { machineDirectory, machineId, type Site } from './site.ts';

/**
 * Writes down that there shall be this machine, with all that it needs, before anything of it runs. Its directory is filled elsewhere and
 * then moved into place, which only succeeds once: whoever comes second, from whatever process, gets the first one's record.
 */
export async function recordIntent(
  site: Site,
  request: LaunchRequest,
  wanted: MachineRequest,
  boot: Boot,
  now: number,
): Promise<MachineRecord> {
  const id = machineId(site, request, wanted.index);
  const machine = machineDirectory(site, id);
  const earlier = await findEarlier(machine, request);
  if (earlier !== undefined) {
    return earlier;
  }
  const { owner, token, expiresAt, cpus, memoryMiB, diskGiB } = request;
  const login = request.login ?? boot.login;
  const record: MachineRecord = {
    id,
    index: wanted.index,
    name: wanted.name,
    owner: { engine: owner.engine, run: owner.run, node: owner.node },
    token,
    ...(login !== undefined && { login }),
    createdAt: new Date(now),
    expiresAt,
    boot,
    cpus: Math.max(1, Math.ceil(cpus ?? 1)),
    memoryMiB: Math.ceil(memoryMiB ?? site.config.memoryMiB),
    address: await claimAddress(site, owner, id),
  };
  const staged = join(site.staging, `machine-${randomUUID()}`);
  try {
    await fill(staged, record, wanted.userData, diskGiB);
    await rename(staged, machine);
    await flushDirectory(site.machines);
    return record;
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    const first = hasCode(error, 'ENOTEMPTY', 'EEXIST') ? await findEarlier(machine, request) : undefined;
    if (first === undefined) {
      throw error;
    }
    return first;
  }
}

async function findEarlier(machine: string, request: LaunchRequest): Promise<MachineRecord | undefined> {
  const reading = await readRecord(machine);
  if (reading === undefined) {
    return undefined;
  }
  if ('damaged' in reading) {
    throw new ConnectorError('conflict', `${machine} holds a machine of this launch, but ${reading.damaged}`, {
      hint: 'Terminate that machine, then launch again with another token.',
    });
  }
  if (reading.record.owner.node !== request.owner.node) {
    throw new ConnectorError('conflict', `The token of this launch was used by node ${reading.record.owner.node}`);
  }
  return reading.record;
}

async function fill(directory: string, record: MachineRecord, userData: Uint8Array, diskGiB: number | undefined): Promise<void> {
  // Only for this user: the user data holds the secret with which the agent joins.
  await mkdir(directory, { mode: 0o700 });
  const seed = join(directory, 'seed');
  await mkdir(seed);
  await Promise.all([
    createOverlay(join(directory, 'disk.qcow2'), record.boot, diskGiB),
    writeFile(join(seed, 'user-data'), userData, { mode: 0o600 }),
    writeFile(join(seed, 'meta-data'), `${JSON.stringify({ 'instance-id': record.id, 'local-hostname': record.name })}\n`),
    writeFile(join(seed, 'network-config'), `${networkConfig(record.id, record.address)}\n`),
    writeFile(join(directory, 'console.log'), ''),
  ]);
  await writeDurably(join(directory, 'machine.json'), printRecord(record));
  await flushDirectory(directory);
}
