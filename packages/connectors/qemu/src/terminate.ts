import { rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAborted, unlessMissing } from '@paceline/connector-host';
import type { ConnectorContext, TerminateResult } from '@paceline/engine/connector';
import { moreDisks } from './more-disks.ts';
import { releaseAddresses } from './network.ts';
import { endProcesses } from './processes.ts';
import { isMachineId, machineDirectory, type Site } from './site.ts';

/** Everything in the directory of a machine except its record. */
const parts = [
  'seed',
  'host-key.pub',
  'disk.qcow2',
  moreDisks,
  'console.log',
  'qemu.log',
  'control',
  'started',
  'exit',
  'exit.new',
  'ended',
];

/**
 * Ends machines: they are marked, so that nobody starts them any more, their processes die, their files go. The record goes last, so
 * whatever interrupts this, `list` still shows what is left. Processes that somebody has started meanwhile die after that: without the files
 * no more can come.
 */
export async function terminateMachines(site: Site, ids: readonly string[], context: ConnectorContext): Promise<TerminateResult[]> {
  checkAborted(context.signal, 'terminate');
  const ours = new Set(ids.filter(isMachineId));
  const directories = [...ours].map((id) => machineDirectory(site, id));
  // If this cannot be written, since the disk is full, they die all the same.
  await Promise.all(directories.map((path) => writeFile(join(path, 'ended'), '').catch(() => undefined)));
  await endProcesses(ours, context.signal);
  await Promise.all(directories.flatMap((path) => parts.map((name) => rm(join(path, name), { recursive: true, force: true }))));
  await endProcesses(ours, context.signal);
  await Promise.all(directories.map(removeRecord));
  await Promise.all([...new Set([...ours].map((id) => id.split('-')[1] ?? ''))].map((key) => releaseAddresses(site, key)));
  return ids.map((id) => ({ id, gone: true }));
}

async function removeRecord(directory: string): Promise<void> {
  await rm(join(directory, 'machine.json'), { force: true });
  await unlessMissing(rmdir(directory));
}
