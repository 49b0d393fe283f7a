import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { lastLine, unlessMissing } from '@paceline/connector-host';
import { matches, type Machine, type OwnerQuery, type Resource } from '@paceline/engine/connector';
import { orphanedClaims } from './address.ts';
import { listImages } from './image-factory.ts';
import { readMarks } from './machine-marks.ts';
import { readRecord, type MachineRecord } from './machine-record.ts';
import { machineState } from './machine-state.ts';
import { processesOf } from './process-match.ts';
import type { ProcessTable } from './process-table.ts';
import { runDirectory } from './run-directory.ts';
import { listRuns, readOwner } from './run-owner.ts';
import { isMachineId, type Site } from './site.ts';
import { isSupervised } from './supervisor.ts';

/** What can be said of one machine; undefined when there is none with that id. */
export async function describeMachine(site: Site, table: ProcessTable, id: string): Promise<Machine | undefined> {
  return isMachineId(id) ? (await inspect(site, table, id))?.machine : undefined;
}

/** Machines, runs and leftover addresses of an engine. A token selects machines only: nothing else is made by one launch. */
export async function* listResources(site: Site, table: ProcessTable, query: OwnerQuery, now: number): AsyncGenerator<Resource> {
  for (const id of (await unlessMissing(readdir(site.machines))) ?? []) {
    const resource = isMachineId(id) ? await machineResource(site, table, id, query) : undefined;
    if (resource !== undefined && matches(resource, query)) {
      yield resource;
    }
  }
  if (query.token !== undefined) {
    return;
  }
  for (const { key, owner } of await listRuns(site)) {
    const resource: Resource = { kind: 'group', id: key, name: `run ${owner.run}`, owner };
    if (matches(resource, query)) {
      yield resource;
    }
  }
  for (const { name, owner } of await listImages(site)) {
    const resource: Resource = { kind: 'image', id: name, name, owner };
    if (matches(resource, query)) {
      yield resource;
    }
  }
  for (const { address, claim } of await orphanedClaims(site, now)) {
    // What lies in another root is the business of whoever uses that.
    if (claim?.machine.startsWith(`${site.machines}/`)) {
      const resource: Resource = {
        kind: 'address',
        id: address,
        name: basename(claim.machine),
        owner: claim.owner,
        token: claim.token,
      };
      if (matches(resource, query)) {
        yield resource;
      }
    }
  }
}

async function machineResource(site: Site, table: ProcessTable, id: string, query: OwnerQuery): Promise<Resource | undefined> {
  const found = await inspect(site, table, id);
  if (found === undefined) {
    return undefined;
  }
  const { machine, record } = found;
  if (record !== undefined) {
    return {
      kind: 'machine',
      id,
      name: machine.name,
      owner: record.owner,
      token: record.token,
      expiresAt: record.expiresAt,
      ...(machine.state !== 'pending' && { machine }),
    };
  }
  // With no record and no run left there is no owner to go by: whoever asks for all that is his may have it, or it stays for ever.
  const owner = await readOwner(join(site.machines, id, 'run'));
  return { kind: 'machine', id, name: machine.name, owner: owner ?? { engine: query.engine, run: '' }, machine };
}

async function inspect(site: Site, table: ProcessTable, id: string): Promise<{ machine: Machine; record?: MachineRecord } | undefined> {
  const directory = join(site.machines, id);
  const [made, reading] = await Promise.all([unlessMissing(stat(directory)), readRecord(directory)]);
  if (made === undefined) {
    return undefined;
  }
  if (reading === undefined || 'damaged' in reading) {
    const fault = reading?.damaged ?? 'machine.json is missing';
    return {
      machine: { id, index: 0, name: id, state: 'error', publicIps: [], privateIps: [], createdAt: made.birthtime, fault },
    };
  }
  const { record } = reading;
  const machine: Machine = {
    id,
    index: record.index,
    name: record.name,
    publicIps: [],
    privateIps: [record.address],
    createdAt: record.createdAt,
    ...(await observe(site, table, record)),
  };
  return { machine, record };
}

async function observe(site: Site, table: ProcessTable, record: MachineRecord): Promise<ReturnType<typeof machineState>> {
  const directory = join(site.machines, record.id);
  const marks = await readMarks(site, record.id);
  const started = (await unlessMissing(stat(join(directory, 'process')))) !== undefined;
  // The leader writes down how it ended before it ends: seen dead first, its last word is there.
  const booting = marks.leader === undefined ? started : table.isAlive(marks.leader);
  const [exitText, ended, supervised] = await Promise.all([
    unlessMissing(readFile(join(directory, 'exit'), 'utf8')),
    unlessMissing(stat(join(directory, 'ended'))),
    isSupervised(table, runDirectory(site, record.owner)),
  ]);
  const exit = Number.parseInt(exitText ?? '', 10);
  // The common case costs no look at the whole process table.
  const alive = (ended !== undefined || !supervised) && processesOf(await table.snapshot(), [marks]).length > 0;
  return machineState({
    started,
    booting,
    ...(!Number.isNaN(exit) && { exit }),
    alive,
    supervised,
    ended: ended !== undefined,
    lastLine: exit > 0 ? ((await unlessMissing(lastLine(join(directory, 'console.log')))) ?? '') : '',
  });
}
