import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { flushDirectory, hasCode, loopbackAddresses, printRecord, writeDurably } from '@paceline/connector-host';
import { ConnectorError, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import { usuallyHidden } from './hidden-paths.ts';
import type { RootLayers } from './image.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { createRun } from './run-directory.ts';
import { machineDirectory, machineId, machinesOf, type Site } from './site.ts';

/** What a machine writes while it boots, with something to spare. */
const leastMiB = 8;

/**
 * Writes down that there shall be this machine, before anything of it runs. Its directory is filled elsewhere and then moved into
 * place, which only succeeds once: whoever comes second, from whatever process, gets the first one's record.
 */
export async function recordIntent(
  site: Site,
  request: LaunchRequest,
  wanted: MachineRequest,
  layers: RootLayers,
  now: number,
): Promise<MachineRecord> {
  for (;;) {
    const run = await createRun(site, request.owner);
    const id = machineId(site, request, wanted.index);
    const machine = machineDirectory(run, id);
    const earlier = await findEarlier(machine, request);
    if (earlier !== undefined) {
      return earlier;
    }
    await checkRoom(site);
    const record = newRecord(site, id, request, wanted, layers, now);
    const staged = join(site.staging, `machine-${randomUUID()}`);
    try {
      await fill(staged, record, wanted.userData);
      await rename(staged, machine);
      await flushDirectory(machinesOf(run));
      return record;
    } catch (error) {
      await rm(staged, { recursive: true, force: true });
      // Somebody else was quicker; or the last machine of the run has just left, and with it the run's directory.
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) {
        throw error;
      }
    }
  }
}

function newRecord(site: Site, id: string, request: LaunchRequest, wanted: MachineRequest, layers: RootLayers, now: number): MachineRecord {
  const { owner, token, expiresAt, login, cpus, memoryMiB } = request;
  return {
    id,
    index: wanted.index,
    name: wanted.name,
    owner: { engine: owner.engine, run: owner.run, node: owner.node },
    token,
    ...(login !== undefined && { login }),
    createdAt: new Date(now),
    expiresAt,
    expires: expiresAt.getTime() / 1000,
    ...layers,
    hide: layers.host ? [...usuallyHidden, site.root, site.images, ...site.config.hide] : [],
    relays: loopbackAddresses(new TextDecoder().decode(wanted.userData)),
    limits: { ...(cpus !== undefined && { cpus }), ...(memoryMiB !== undefined && { memoryMiB }) },
  };
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

/** A machine on a full disk would not get through its boot, nor could it say why. */
async function checkRoom({ root }: Site): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const leftMiB = Math.floor((bavail * bsize) / 1024 ** 2);
  if (leftMiB >= leastMiB) return;
  throw new ConnectorError(
    'capacity',
    `There are ${leftMiB} MiB left for machines on the disk of ${root}, and one needs at least ${leastMiB}`,
    {
      hint: 'Free some disk space or set `root` to a directory on another disk.',
    },
  );
}

async function fill(directory: string, record: MachineRecord, userData: Uint8Array): Promise<void> {
  // Only for this user: the user data holds the secret with which the agent joins.
  await mkdir(directory, { mode: 0o700 });
  await Promise.all([
    writeDurably(join(directory, 'machine.json'), printRecord(record)),
    writeFile(join(directory, 'user-data'), userData, { mode: 0o600 }),
    writeFile(join(directory, 'console.log'), ''),
  ]);
  await flushDirectory(directory);
}
