import { spawn, type ChildProcess } from 'node:child_process';
import { access, readFile, writeFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { checkAborted, hasCode } from '@paceline/connector-host';
import { checkLimits, ConnectorError, type ConnectorContext, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import { chooseAccelerator, type Accelerator } from './accelerator.ts';
import { cleanEnvironment } from './command.ts';
import type { Config } from './config.ts';
import { emulatorCommand, runProgram } from './emulator.ts';
import { sweep } from './garbage.ts';
import { resolveImage } from './image.ts';
import { recordIntent } from './intent.ts';
import type { MachineRecord } from './machine-record.ts';
import { machineDirectory, machineId, openSite, type Site } from './site.ts';

export const limits = { userDataBytes: 1024 * 1024, maxBatch: 64 };

/**
 * Starts machines, or finishes what an earlier launch with the same token began: first all intents go to disk, with the disks, then the
 * machines are started. Returns the ids in the order of the request.
 */
export async function launchMachines(config: Config, request: LaunchRequest, context: ConnectorContext): Promise<string[]> {
  checkRequest(request);
  checkAborted(context.signal, 'launch');
  const site = await openSite(config, true);
  await sweep(site, context.now());
  const boot = await resolveImage(site, request.image, context.signal);
  const { accelerator } = await chooseAccelerator(site, context);
  await checkMemory(site, request);
  checkAborted(context.signal, 'launch');
  const records = await Promise.all(request.machines.map((machine) => recordIntent(site, request, machine, boot, context.now())));
  checkAborted(context.signal, 'launch');
  await Promise.all(records.map((record) => start(site, record, accelerator, context.now())));
  return records.map(({ id }) => id);
}

function checkRequest(request: LaunchRequest): void {
  checkLimits(request, limits);
  request.machines.forEach(checkMachine);
}

function checkMachine({ name }: MachineRequest): void {
  if (!/^[a-z0-9-]{1,63}$/.test(name)) {
    throw new ConnectorError('invalid', `${name} cannot be the name of a machine`);
  }
}

/** A host that runs out of memory ends whatever it likes. */
async function checkMemory(site: Site, request: LaunchRequest): Promise<void> {
  const there = await Promise.all(
    request.machines.map(({ index }) =>
      access(machineDirectory(site, machineId(site, request, index))).then(
        () => true,
        () => false,
      ),
    ),
  );
  const each = request.memoryMiB ?? site.config.memoryMiB;
  const wanted = each * there.filter((present) => !present).length;
  const free = Math.floor(freemem() / 1024 ** 2);
  if (wanted > free) {
    throw new ConnectorError(
      'capacity',
      `${request.machines.length} machines need ${wanted} MiB of memory, and this host has ${free} MiB left`,
      {
        hint: 'Run fewer machines, or give them less memory.',
      },
    );
  }
}

/** Starts a machine, unless somebody has done so before or has asked to end it. */
async function start(site: Site, record: MachineRecord, accelerator: Accelerator, now: number): Promise<void> {
  const directory = machineDirectory(site, record.id);
  if (await isThere(join(directory, 'ended'))) {
    return;
  }
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await writeFile(join(directory, 'started'), boot, { flag: 'wx' });
  } catch (error) {
    if (hasCode(error, 'EEXIST', 'ENOENT')) {
      return;
    }
    throw error;
  }
  const life = Math.max(1, Math.ceil((record.expiresAt.getTime() - now) / 1000));
  const command = ['-c', runProgram, 'sh', String(life), ...emulatorCommand(record, accelerator)];
  const child = spawn('sh', command, { cwd: directory, detached: true, stdio: 'ignore', env: cleanEnvironment });
  await spawned(child);
  child.unref();
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Rejects when the program could not be started. */
function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve());
    child.once('error', reject);
  });
}
