import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLine, unlessMissing } from '@paceline/connector-host';
import { matches, type Machine, type OwnerQuery, type Resource } from '@paceline/engine/connector';
import { statusOf } from './control.ts';
import { listImages } from './image-factory.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { machineState } from './machine-state.ts';
import { findProcesses } from './processes.ts';
import { isMachineId, machineDirectory, runKey, type Site } from './site.ts';

/** How long a process may need to appear after the machine was marked as started, in milliseconds. */
const freshMs = 10_000;
/** Of the end of a console, in which a kernel's last words are looked for. */
const tailBytes = 16 * 1024;

interface Found {
  machine: Machine;
  isStarted: boolean;
  /** Missing when it is damaged. */
  record?: MachineRecord;
}

/** What can be said of these machines. Those that are not there are absent. */
export async function describeMachines(site: Site, ids: readonly string[], now: number): Promise<Map<string, Machine>> {
  const found = await inspect(site, ids.filter(isMachineId), now);
  return new Map(found.map(({ machine }) => [machine.id, machine]));
}

/** Machines and images of an engine. A token selects machines only: nothing else is made by one launch. */
export async function* listResources(site: Site, query: OwnerQuery, now: number): AsyncGenerator<Resource> {
  const ids = ((await unlessMissing(readdir(site.machines))) ?? []).filter(isMachineId);
  for (const { machine, record, isStarted } of await inspect(site, ids, now)) {
    if (record === undefined) {
      const owner = { engine: query.engine, run: query.run ?? '' };
      // Its id says whose it is, if one knows whom to ask for.
      if (query.token === undefined && machine.id.startsWith(`qemu-${runKey(owner)}-`)) {
        yield { kind: 'machine', id: machine.id, name: machine.name, owner, machine };
      }
    } else if (matches(record, query)) {
      const { id, name, owner, token, expiresAt } = record;
      yield { kind: 'machine', id, name, owner, token, expiresAt, ...(isStarted && { machine }) };
    }
  }
  for (const { name, owner } of await listImages(site)) {
    if (matches({ owner }, query)) {
      yield { kind: 'image', id: name, name, owner };
    }
  }
}

async function inspect(site: Site, ids: readonly string[], now: number): Promise<Found[]> {
  // Before the processes are looked for: what was started by now and does not live then has ended.
  const started = await Promise.all(ids.map((id) => readStart(site, id)));
  const alive = await findProcesses(new Set(ids));
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const found = await Promise.all(ids.map((id, at) => inspectOne(site, id, { start: started[at], alive: alive.has(id), boot, now })));
  return found.filter((each) => each !== undefined);
}

interface Start {
  boot: string;
  at: number;
}

async function readStart(site: Site, id: string): Promise<Start | undefined> {
  const path = join(machineDirectory(site, id), 'started');
  const [text, found] = await Promise.all([unlessMissing(readFile(path, 'utf8')), unlessMissing(stat(path))]);
  return text === undefined || found === undefined ? undefined : { boot: text.trim(), at: found.mtimeMs };
}

async function inspectOne(
  site: Site,
  id: string,
  { start, alive, boot, now }: { start: Start | undefined; alive: boolean; boot: string; now: number },
): Promise<Found | undefined> {
  const directory = machineDirectory(site, id);
  const [made, reading] = await Promise.all([unlessMissing(stat(directory)), readRecord(directory)]);
  if (made === undefined) {
    return undefined;
  }
  if (reading === undefined || 'damaged' in reading) {
    const fault = reading?.damaged ?? 'machine.json is missing';
    const machine: Machine = { id, index: 0, name: id, state: 'error', publicIps: [], privateIps: [], createdAt: made.birthtime, fault };
    return { machine, isStarted: start !== undefined };
  }
  const { record } = reading;
  const [status, ended, exit, complaint, console] = await Promise.all([
    alive ? statusOf(directory) : undefined,
    unlessMissing(stat(join(directory, 'ended'))),
    unlessMissing(readFile(join(directory, 'exit'), 'utf8')),
    unlessMissing(lastLine(join(directory, 'qemu.log'))),
    unlessMissing(tailOf(join(directory, 'console.log'))),
  ]);
  const machine: Machine = {
    id,
    index: record.index,
    name: record.name,
    publicIps: [],
    privateIps: [record.address],
    login: record.login ?? 'root',
    createdAt: record.createdAt,
    ...machineState({
      ended: ended !== undefined,
      ...(start !== undefined && { started: start.boot }),
      fresh: start !== undefined && now - start.at < freshMs,
      alive,
      status,
      ...(exit !== undefined && { exit: Number(exit) }),
      complaint: complaint ?? '',
      console: console ?? '',
      boot,
    }),
  };
  return { machine, isStarted: start !== undefined, record };
}

async function tailOf(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const length = Math.min(size, tailBytes);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  return buffer.toString('latin1');
}
