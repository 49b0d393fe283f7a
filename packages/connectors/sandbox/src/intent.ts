import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, loopbackAddresses, plannedMachine, recordIntent as recordMachine } from '@paceline/connector-host';
import { ConnectorError, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import { calledPorts } from './called-ports.ts';
import { usuallyHidden } from './hidden-paths.ts';
import type { RootLayers } from './image.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { createRun } from './run-directory.ts';
import { machineDirectory, machineId, type Site } from './site.ts';

/** What a machine writes while it boots, with something to spare. */
const leastMiB = 8;

/** Writes down that there shall be this machine, in the directory of its run, which is made if it is not there. */
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
    try {
      return await recordMachine<MachineRecord>({
        machine: machineDirectory(run, id),
        staging: site.staging,
        request,
        read: readRecord,
        plan: async () => {
          await checkRoom(site);
          return newRecord(site, id, request, wanted, layers, now);
        },
        fill: (directory) => fill(directory, wanted.userData),
      });
    } catch (error) {
      // The last machine of the run has just left, and with it the run's directory.
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
}

function newRecord(site: Site, id: string, request: LaunchRequest, wanted: MachineRequest, layers: RootLayers, now: number): MachineRecord {
  const { expiresAt, cpus, memoryMiB } = request;
  const userData = new TextDecoder().decode(wanted.userData);
  return {
    ...plannedMachine(id, request, wanted, now),
    expires: expiresAt.getTime() / 1000,
    ...layers,
    hide: layers.host ? [...usuallyHidden, site.root, site.images, ...site.config.hide] : [],
    relays: loopbackAddresses(userData),
    calls: calledPorts(userData),
    limits: { ...(cpus !== undefined && { cpus }), ...(memoryMiB !== undefined && { memoryMiB }) },
  };
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

async function fill(directory: string, userData: Uint8Array): Promise<void> {
  await Promise.all([writeFile(join(directory, 'user-data'), userData, { mode: 0o600 }), writeFile(join(directory, 'console.log'), '')]);
}
