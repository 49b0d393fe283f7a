import { join } from 'node:path';
import { stat, unlink } from 'node:fs/promises';
import { checkAborted, readConsole, toConnectorError, unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type Connector, type Machine, type Resource } from '@paceline/engine/connector';
import { orphanedClaims } from './address.ts';
import type { Config } from './config.ts';
import { createImage, findTree, removeImage } from './image-factory.ts';
import { describeMachine, listResources } from './inventory.ts';
import { launchMachines, limits } from './launch.ts';
import { probeSite } from './probe.ts';
import { openProcessTable, type ProcessTable } from './process-table.ts';
import { leaveRun } from './run-directory.ts';
import { isMachineId, openSite, socketPath, type Site } from './site.ts';
import { terminateMachines } from './terminate.ts';

/** A connector whose machines are process groups on this host. */
export function createLocalConnector(config: Config): Connector {
  const table = openProcessTable(process.platform);

  async function describe(site: Site, ids: readonly string[]): Promise<Map<string, Machine>> {
    const found = await Promise.all(ids.map((id) => describeMachine(site, table, id)));
    return new Map(found.flatMap((machine) => (machine ? [[machine.id, machine]] : [])));
  }

  return {
    info: { name: 'local', version: '0.0.0', api: 1 },
    capabilities: {
      ...limits,
      idempotency: 'name',
      listConsistencyMs: 0,
      console: 'incremental',
      reach: 'host',
      bringsNode: true,
      // An image is what recipes have left in their folders, not the disk of a machine: it has none.
      snapshot: false,
    },
    launch: (request, context) =>
      during('launch machines', async () => {
        const site = await openSite(config, true);
        const ids = await launchMachines(site, table, request, context);
        const machines = await describe(site, ids);
        return ids.flatMap((id) => machines.get(id) ?? []);
      }),
    describe: (ids, context) =>
      during('describe machines', async () => {
        checkAborted(context.signal, 'describe');
        return describe(await openSite(config, false), ids);
      }),
    async *list(query, context) {
      try {
        checkAborted(context.signal, 'list');
        for await (const resource of listResources(await openSite(config, false), table, query, context.now())) {
          checkAborted(context.signal, 'list');
          yield resource;
        }
      } catch (error) {
        throw toConnectorError(error, 'list what is there');
      }
    },
    terminate: (ids, context) =>
      during('terminate machines', async () => terminateMachines(await openSite(config, false), table, ids, context)),
    probe: (context) =>
      during('check the host', async () => {
        checkAborted(context.signal, 'probe');
        return probeSite(await openSite(config, false));
      }),
    remove: (resource, context) =>
      during(`remove ${resource.kind} ${resource.id}`, async () => {
        const site = await openSite(config, false);
        await removeResource(site, table, resource, context.now(), context.signal);
      }),
    createImage: (id, name) =>
      during(`make image ${name}`, async () => {
        await createImage(await openSite(config, true), id, name);
        return { image: name, id: name };
      }),
    resolveImage: (image) =>
      during(`find image ${image}`, async () => {
        await findTree(await openSite(config, false), image);
        return image;
      }),
    consoleLog: (id, since) =>
      during(`read the console of ${id}`, async () => {
        const site = await openSite(config, false);
        const read = isMachineId(id) ? await unlessMissing(readConsole(join(site.machines, id, 'console.log'), since)) : undefined;
        if (read === undefined) {
          throw new ConnectorError('notFound', `There is no machine ${id}`);
        }
        return read;
      }),
    wayIn: (id) =>
      during(`find ${id}`, async () => {
        const site = await openSite(config, false);
        const machine = join(site.machines, id);
        if (!isMachineId(id) || (await unlessMissing(stat(join(machine, 'home')))) === undefined) {
          throw new ConnectorError('notFound', `There is no machine ${id}`);
        }
        // With its mark, so that what is begun there ends with the machine.
        const env = { HOME: join(machine, 'home'), TMPDIR: join(machine, 'tmp'), PACELINE_MACHINE: id, PACELINE_ROOT: machine };
        return { kind: 'directory', directory: join(machine, 'home'), env: { ...env, PACELINE_SOCKET: socketPath(site, id) } };
      }),
  };
}

async function removeResource(site: Site, table: ProcessTable, { kind, id }: Resource, now: number, signal: AbortSignal): Promise<void> {
  if (kind === 'group' && /^[0-9a-f]{16}$/.test(id)) {
    const run = join(site.runs, id);
    await leaveRun(site, table, run, [], signal);
    if ((await unlessMissing(stat(run))) !== undefined) {
      throw new ConnectorError('conflict', `Run ${id} still has machines`, { hint: 'Terminate them first.' });
    }
  } else if (kind === 'image') {
    await removeImage(site, id);
  } else if (kind === 'address') {
    const orphans = await orphanedClaims(site, now);
    if (orphans.some(({ address }) => address === id)) {
      await unlessMissing(unlink(join(site.addresses, id)));
    }
  } else {
    throw new ConnectorError('unsupported', `A local cloud has no ${kind} that could be removed by itself`);
  }
}

async function during<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toConnectorError(error, doing);
  }
}
