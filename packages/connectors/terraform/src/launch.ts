import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAborted, plannedMachine, recordIntent, staleStages, writeDurably } from '@paceline/connector-host';
import type { ConnectorContext, LaunchRequest } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { inputsOf } from './inputs.ts';
import { readRecording, type MachineRecord } from './machine-record.ts';
import type { ModuleCopies } from './module-copy.ts';
import { machineId, makeSite, staleMs, type Site } from './site.ts';

/** Writes down the machines of a launch, in the order of the request; those of an earlier launch with its token are found. */
export async function noteMachines(
  site: Site,
  copies: ModuleCopies,
  config: Config,
  request: LaunchRequest,
  { signal, now }: Pick<ConnectorContext, 'signal' | 'now'>,
): Promise<MachineRecord[]> {
  await makeSite(site);
  await sweep(site, now());
  await copies.sweep(now());
  const records: MachineRecord[] = [];
  let module: string | undefined;
  for (const machine of request.machines) {
    checkAborted(signal, 'launch');
    const id = machineId(request, machine.index);
    const record = await recordIntent<MachineRecord>({
      machine: join(site.machines, id),
      staging: site.staging,
      request,
      read: readRecording,
      plan: async () => ({ ...plannedMachine(id, request, machine, now()), module: module ?? (await copies.take(config.module)) }),
      fill: (directory) => writeDurably(join(directory, 'inputs.tfvars.json'), JSON.stringify(inputsOf(request, machine, config))),
    });
    module = record.module;
    records.push(record);
  }
  return records;
}

async function sweep({ staging }: Site, now: number): Promise<void> {
  for (const path of await staleStages(staging, now, staleMs)) await rm(path, { recursive: true, force: true });
}
