import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLine, unlessMissing } from '@paceline/connector-host';
import { matches, type Machine, type OwnerQuery, type Resource } from '@paceline/engine/connector';
import * as z from 'zod';
import { ask } from './control.ts';
import { listImages } from './image-factory.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { machineState } from './machine-state.ts';
import { listRuns, type RunOwner } from './run-directory.ts';
import { machineDirectory, machinesOf, runOf, type Site } from './site.ts';

interface Found {
  machine: Machine;
  /** Missing when it is damaged. */
  record?: MachineRecord;
}

/** Of a file that was made and could not be written. */
const unsaid = 'there was no room on the disk to write down what went wrong';

const exitSchema = z.object({ why: z.string(), failed: z.boolean() });

/** What can be said of these machines. Those that are not there are absent. */
export async function describeMachines(site: Site, ids: readonly string[], signal: AbortSignal): Promise<Map<string, Machine>> {
  const byRun = Map.groupBy(ids, (id) => runOf(site, id) ?? '');
  byRun.delete('');
  const found = await Promise.all([...byRun].map(([run, members]) => inspect(run, members, signal)));
  return new Map(found.flat().map(({ machine }) => [machine.id, machine]));
}

/** Machines, runs and images of an engine. A token selects machines only: nothing else is made by one launch. */
export async function* listResources(site: Site, query: OwnerQuery, signal: AbortSignal): AsyncGenerator<Resource> {
  const { token, ...ofAnyLaunch } = query;
  for (const { key, owner } of await listRuns(site)) {
    if (!matches({ owner }, ofAnyLaunch)) {
      continue;
    }
    const run = join(site.runs, key);
    for (const { machine, record } of await inspect(run, (await unlessMissing(readdir(machinesOf(run)))) ?? [], signal)) {
      if (token === undefined || record?.token === token) {
        yield machineResource(machine, record, owner);
      }
    }
    if (token === undefined) {
      yield { kind: 'group', id: key, name: `run ${owner.run}`, owner };
    }
  }
  for (const { name, owner } of await listImages(site)) {
    if (matches({ owner }, query)) {
      yield { kind: 'image', id: name, name, owner };
    }
  }
}

/** The layers that machines stand on, whoever owns them. */
export async function layersInUse(site: Site): Promise<string[]> {
  const runs = (await unlessMissing(readdir(site.runs))) ?? [];
  const machines = await Promise.all(
    runs.map(async (key) => {
      const names = (await unlessMissing(readdir(machinesOf(join(site.runs, key))))) ?? [];
      return names.map((name) => machineDirectory(join(site.runs, key), name));
    }),
  );
  const readings = await Promise.all(machines.flat().map(readRecord));
  return readings.flatMap((reading) => (reading !== undefined && 'record' in reading ? reading.record.layers : []));
}

function machineResource(machine: Machine, record: MachineRecord | undefined, run: RunOwner): Resource {
  const known = record === undefined ? { owner: run } : { owner: record.owner, token: record.token, expiresAt: record.expiresAt };
  return { kind: 'machine', id: machine.id, name: machine.name, ...known, ...(machine.state !== 'pending' && { machine }) };
}

async function inspect(run: string, ids: readonly string[], signal: AbortSignal): Promise<Found[]> {
  // Before the supervisor is asked: what was started by now and does not live then has ended.
  const started = await Promise.all(ids.map((id) => textIn(run, id, 'started')));
  const alive = (await ask(run, { alive: true }, signal)) ?? new Set<string>();
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const found = await Promise.all(ids.map((id, at) => inspectOne(run, id, { started: started[at], alive: alive.has(id), boot })));
  return found.filter((each) => each !== undefined);
}

async function inspectOne(
  run: string,
  id: string,
  { started, alive, boot }: { started: string | undefined; alive: boolean; boot: string },
): Promise<Found | undefined> {
  const directory = machineDirectory(run, id);
  const [made, reading] = await Promise.all([unlessMissing(stat(directory)), readRecord(directory)]);
  if (made === undefined) {
    return undefined;
  }
  const [ended, address, fault, exit] = await Promise.all(['ended', 'address', 'fault', 'exit'].map((name) => textIn(run, id, name)));
  const base = { id, publicIps: [], privateIps: address ? [address] : [] };
  if (reading === undefined || 'damaged' in reading) {
    const said = reading?.damaged ?? 'machine.json is missing';
    return { machine: { ...base, index: 0, name: id, state: 'error', createdAt: made.birthtime, fault: said } };
  }
  const { record } = reading;
  const machine: Machine = {
    ...base,
    index: record.index,
    name: record.name,
    login: record.login ?? 'root',
    createdAt: record.createdAt,
    ...machineState({
      ended: ended !== undefined,
      ...(started !== undefined && { started }),
      alive,
      ...(fault !== undefined && { fault: fault || unsaid }),
      ...(exit !== undefined && { exit: await readExit(directory, exit) }),
      boot,
    }),
  };
  return { machine, record };
}

/** The last line on the console usually says why a machine could not go on. */
async function readExit(directory: string, text: string): Promise<{ why: string; failed: boolean }> {
  if (text === '') return { why: unsaid, failed: true };
  try {
    const { why, failed } = exitSchema.parse(JSON.parse(text));
    const said = failed ? await unlessMissing(lastLine(join(directory, 'console.log'))) : undefined;
    return { why: said ? `${why}: ${said}` : why, failed };
  } catch {
    return { why: text, failed: false };
  }
}

async function textIn(run: string, id: string, name: string): Promise<string | undefined> {
  return (await unlessMissing(readFile(join(machineDirectory(run, id), name), 'utf8')))?.trim();
}
