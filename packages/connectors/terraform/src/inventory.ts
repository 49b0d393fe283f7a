import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '@paceline/connector-host';
import type { Machine } from '@paceline/engine/connector';
import * as z from 'zod';
import { complaintOf, isCapacity } from './complaint.ts';
import { secretsOf, type Config } from './config.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { isMachineId, type Site } from './site.ts';

/** A machine with what is noted of it. */
export interface Found {
  record: MachineRecord;
  machine: Machine;
  /** Why its last end came to nothing. */
  stuck?: string;
}

const addresses = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => [value].flat().filter((address) => address !== ''))
  .catch([]);
const text = z.string().min(1).optional().catch(undefined);
const output = <T extends z.ZodType>(value: T) => z.object({ value }).optional();

/** What a module says of its machine; one address or a list of them. */
const outputsSchema = z.object({
  public_ip: output(addresses),
  public_ips: output(addresses),
  private_ip: output(addresses),
  private_ips: output(addresses),
  login: output(text),
});

/** Undefined when there is no such machine. */
export async function findMachine(site: Site, id: string, config: Config): Promise<Found | undefined> {
  const folder = join(site.machines, id);
  const record = isMachineId(id) ? await readRecord(folder) : undefined;
  if (record === undefined) return undefined;
  const [ended, failed, outputs, stuck] = await Promise.all([
    unlessMissing(stat(join(folder, 'ended'))),
    contentOf(join(folder, 'failed')),
    contentOf(join(folder, 'outputs.json')),
    contentOf(join(folder, 'stuck')),
  ]);
  const said = outputs === undefined ? {} : outputsOf(outputs);
  const { index, name, createdAt } = record;
  const login = record.login ?? said.login?.value ?? config.login;
  const secrets = secretsOf(config);
  const fault = failed === undefined ? undefined : complaintOf(failed, secrets);
  const machine: Machine = {
    id,
    index,
    name,
    state: ended !== undefined ? 'stopping' : fault !== undefined ? 'error' : outputs !== undefined ? 'running' : 'pending',
    publicIps: [...(said.public_ip?.value ?? []), ...(said.public_ips?.value ?? [])],
    privateIps: [...(said.private_ip?.value ?? []), ...(said.private_ips?.value ?? [])],
    ...(login !== undefined && { login }),
    createdAt,
    ...(fault !== undefined && { fault }),
    ...(fault !== undefined && isCapacity(fault) && { noRoom: true }),
  };
  return { record, machine, ...(stuck !== undefined && { stuck: complaintOf(stuck, secrets) }) };
}

/** All machines of the cloud, whoever's they are. */
export async function findMachines(site: Site, config: Config): Promise<Found[]> {
  const ids = ((await unlessMissing(readdir(site.machines))) ?? []).filter(isMachineId).toSorted();
  const found = await Promise.all(ids.map((id) => findMachine(site, id, config)));
  return found.filter((each) => each !== undefined);
}

function outputsOf(content: string): z.output<typeof outputsSchema> {
  try {
    return outputsSchema.safeParse(JSON.parse(content)).data ?? {};
  } catch {
    return {};
  }
}

function contentOf(path: string): Promise<string | undefined> {
  return unlessMissing(readFile(path, 'utf8'));
}
