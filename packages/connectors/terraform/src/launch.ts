import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAborted, flushDirectory, hasCode, printRecord, unlessMissing, writeDurably } from '@paceline/connector-host';
import { ConnectorError, type ConnectorContext, type LaunchRequest, type MachineRequest } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { inputsOf } from './inputs.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
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
    const earlier = await findEarlier(site, request, machine);
    module = earlier?.module ?? module ?? (await copies.take(config.module));
    records.push(earlier ?? (await noteMachine(site, config, request, machine, module, now())));
  }
  return records;
}

async function findEarlier(site: Site, request: LaunchRequest, { index }: MachineRequest): Promise<MachineRecord | undefined> {
  const record = await readRecord(join(site.machines, machineId(request, index)));
  if (record !== undefined && (record.owner.node !== request.owner.node || record.owner.engine !== request.owner.engine)) {
    throw new ConnectorError('conflict', `The token of this launch was used by node ${record.owner.node}`);
  }
  return record;
}

/** Its directory is filled elsewhere and then moved into place, which only succeeds once. */
async function noteMachine(
  site: Site,
  config: Config,
  request: LaunchRequest,
  wanted: MachineRequest,
  module: string,
  now: number,
): Promise<MachineRecord> {
  const { owner, token, expiresAt, login } = request;
  const id = machineId(request, wanted.index);
  const record: MachineRecord = {
    id,
    index: wanted.index,
    name: wanted.name,
    owner: { engine: owner.engine, run: owner.run, node: owner.node },
    token,
    ...(login !== undefined && { login }),
    createdAt: new Date(now),
    expiresAt,
    module,
  };
  const staged = join(site.staging, `machine-${randomUUID()}`);
  try {
    await mkdir(staged, { mode: 0o700 });
    await writeDurably(join(staged, 'inputs.tfvars.json'), JSON.stringify(inputsOf(request, wanted, config)));
    await writeDurably(join(staged, 'machine.json'), printRecord(record));
    await flushDirectory(staged);
    await rename(staged, join(site.machines, id));
    await flushDirectory(site.machines);
    return record;
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    const first = hasCode(error, 'ENOTEMPTY', 'EEXIST') ? await findEarlier(site, request, wanted) : undefined;
    if (first === undefined) throw error;
    return first;
  }
}

async function sweep({ staging }: Site, now: number): Promise<void> {
  for (const name of await readdir(staging)) {
    const path = join(staging, name);
    const found = await unlessMissing(stat(path));
    if (found !== undefined && found.mtimeMs < now - staleMs) await rm(path, { recursive: true, force: true });
  }
}
