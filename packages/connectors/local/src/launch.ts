import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAborted, unlessMissing } from '@paceline/connector-host';
import { checkLimits, ConnectorError, type ConnectorContext, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import { openShared } from './address.ts';
import { cleanEnvironment } from './environment.ts';
import { sweep } from './garbage.ts';
import { applyImage } from './image-factory.ts';
import { recordIntent } from './intent.ts';
import type { MachineRecord } from './machine-record.ts';
import type { ProcessTable } from './process-table.ts';
import { joinRun, residentDirectory, runDirectory } from './run-directory.ts';
import { socketPath, type Site } from './site.ts';
import { started } from './supervisor.ts';

export const limits = { userDataBytes: 1024 * 1024, maxBatch: 256 };
const socketPathLimit = 100;

/**
 * Starts machines, or finishes what an earlier launch with the same token began. Three steps, each of which can be repeated: the
 * intents go to disk, the machines join their run (from then on their end of life is watched), the user data is started.
 * Returns the ids in the order of the request.
 */
export async function launchMachines(
  site: Site,
  table: ProcessTable,
  request: LaunchRequest,
  context: ConnectorContext,
): Promise<string[]> {
  checkRequest(request);
  checkAborted(context.signal, 'launch');
  await openShared(site);
  await sweep(site, context.now());

  const records = await Promise.all(request.machines.map((machine) => recordIntent(site, request, machine, context.now())));
  checkAborted(context.signal, 'launch');
  const ids = records.map((record) => record.id);
  await joinRun(site, table, request.owner, ids, context.signal);
  checkAborted(context.signal, 'launch');
  await Promise.all(records.map((record) => boot(site, record, request.image)));
  return ids;
}

function checkRequest(request: LaunchRequest): void {
  checkLimits(request, limits);
  request.machines.forEach(checkUserData);
}

function checkUserData({ name, userData }: MachineRequest): void {
  if (userData[0] !== 0x23 || userData[1] !== 0x21) {
    throw new ConnectorError('invalid', `The user data of ${name} does not begin with #!`, {
      hint: 'Local machines run user data as a script, as cloud-init does; cloud-config is not understood here.',
    });
  }
}

/** Runs the user data unless it was started before, which the script's exclusive creation of `process` decides, or is ended. */
async function boot(site: Site, record: MachineRecord, image: string): Promise<void> {
  const machine = join(site.machines, record.id);
  const traces = await Promise.all(['process', 'ended'].map((name) => unlessMissing(stat(join(machine, name)))));
  if (traces.some((trace) => trace !== undefined)) {
    return;
  }
  await applyImage(site, image, machine);
  const run = runDirectory(site, record.owner);
  const console = openSync(join(machine, 'console.log'), 'a');
  try {
    const child = spawn('/bin/sh', ['boot.sh', run], {
      cwd: machine,
      detached: true,
      stdio: ['ignore', console, console],
      env: machineEnvironment(site, record, machine, run),
    });
    await started(child);
    child.unref();
  } finally {
    closeSync(console);
  }
}

function machineEnvironment(site: Site, record: MachineRecord, machine: string, run: string): Record<string, string> {
  const socket = socketPath(site, record.id);
  if (Buffer.byteLength(socket) > socketPathLimit) {
    throw new ConnectorError('invalid', `${socket} is too long for the path of a Unix socket`, {
      hint: 'Set TMPDIR to a shorter path.',
    });
  }
  return {
    ...cleanEnvironment(join(machine, 'home'), join(machine, 'tmp')),
    PACELINE_MACHINE: record.id,
    PACELINE_ROOT: machine,
    PACELINE_ADDRESS: record.address,
    PACELINE_SOCKET: socket,
    PACELINE_NODE: site.node,
    PACELINE_AGENT_CACHE: site.cache,
    PACELINE_PACKAGES: 'check',
    PACELINE_RESIDENT: residentDirectory(run),
  };
}
