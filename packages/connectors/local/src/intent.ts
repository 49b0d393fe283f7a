import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flushDirectory, hasCode, printRecord, writeDurably } from '@paceline/connector-host';
import { ConnectorError, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import { claimAddress, releaseAddress } from './address.ts';
import { bootScript } from './boot-script.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { runDirectory } from './run-directory.ts';
import { machineId, type Site } from './site.ts';

/**
 * Writes down that there shall be this machine, before anything of it runs. Its directory is filled elsewhere and then moved into
 * place, which only succeeds once: whoever comes second, from whatever process, gets the first one's record.
 */
export async function recordIntent(site: Site, request: LaunchRequest, wanted: MachineRequest, now: number): Promise<MachineRecord> {
  const id = machineId(site, request, wanted.index);
  const machine = join(site.machines, id);
  const earlier = await findEarlier(machine, request);
  if (earlier !== undefined) {
    return earlier;
  }
  const { owner, token } = request;
  const address = await claimAddress(site, { machine, owner, token });
  const staged = join(site.staging, `machine-${randomUUID()}`);
  try {
    const record: MachineRecord = {
      id,
      index: wanted.index,
      name: wanted.name,
      owner: { engine: owner.engine, run: owner.run, node: owner.node },
      token,
      address,
      createdAt: new Date(now),
      expiresAt: request.expiresAt,
    };
    await fill(staged, site, record, wanted.userData);
    await rename(staged, machine);
    await flushDirectory(site.machines);
    return record;
  } catch (error) {
    await releaseAddress(site, address, machine);
    await rm(staged, { recursive: true, force: true });
    const other = hasCode(error, 'ENOTEMPTY', 'EEXIST') ? await findEarlier(machine, request) : undefined;
    if (other === undefined) {
      throw error;
    }
    return other;
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
  if (reading.record.owner.run !== request.owner.run || reading.record.owner.node !== request.owner.node) {
    throw new ConnectorError(
      'conflict',
      `The token of this launch was used by node ${reading.record.owner.node} of run ${reading.record.owner.run}`,
    );
  }
  return reading.record;
}

async function fill(directory: string, site: Site, record: MachineRecord, userData: Uint8Array): Promise<void> {
  // Only for this user: the user data holds the secret with which the agent joins.
  await mkdir(directory, { mode: 0o700 });
  await Promise.all([
    writeDurably(join(directory, 'machine.json'), printRecord(record)),
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
  await flushDirectory(directory);
}
