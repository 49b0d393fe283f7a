import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkAborted, readConsole, toConnectorError, unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type Connector } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { createImage, removeImage } from './image-factory.ts';
import { imageNow } from './image.ts';
import { describeMachines, listResources } from './inventory.ts';
import { launchMachines, limits } from './launch.ts';
import { attachDisk, detachDisk } from './more-disks.ts';
import { hostUrl } from './network.ts';
import { probeHost } from './probe.ts';
import { isMachineId, machineDirectory, openSite } from './site.ts';
import { terminateMachines } from './terminate.ts';
import { sshAddressOf } from './way-in.ts';

/** A connector whose machines are virtual ones of this host. */
export function createQemuConnector(config: Config): Connector {
  return {
    info: { name: 'qemu', version: '0.0.0', api: 1, image: config.image },
    capabilities: {
      ...limits,
      idempotency: 'name',
      listConsistencyMs: 0,
      console: 'incremental',
      reach: 'host',
      snapshot: true,
    },
    hostUrl,
    launch: (request, context) =>
      during('launch machines', async () => {
        const ids = await launchMachines(config, request, context);
        const machines = await describeMachines(await openSite(config, false), ids, context.now());
        return ids.flatMap((id) => machines.get(id) ?? []);
      }),
    describe: (ids, context) =>
      during('describe machines', async () => {
        checkAborted(context.signal, 'describe');
        return describeMachines(await openSite(config, false), ids, context.now());
      }),
    async *list(query, context) {
      try {
        checkAborted(context.signal, 'list');
        for await (const resource of listResources(await openSite(config, false), query, context.now())) {
          checkAborted(context.signal, 'list');
          yield resource;
        }
      } catch (error) {
        throw toConnectorError(error, 'list what is there');
      }
    },
    terminate: (ids, context) => during('terminate machines', async () => terminateMachines(await openSite(config, false), ids, context)),
    probe: (context) =>
      during('check the host', async () => {
        checkAborted(context.signal, 'probe');
        return probeHost(await openSite(config, false), context);
      }),
    remove: ({ kind, id }) =>
      during(`remove ${kind} ${id}`, async () => {
        if (kind !== 'image') {
          throw new ConnectorError('unsupported', `A qemu cloud has no ${kind} that could be removed by itself`);
        }
        await removeImage(await openSite(config, false), id);
      }),
    consoleLog: (id, since) =>
      during(`read the console of ${id}`, async () => {
        const path = join(machineDirectory(await openSite(config, false), id), 'console.log');
        const read = isMachineId(id) ? await unlessMissing(readConsole(path, since)) : undefined;
        if (read === undefined) {
          throw new ConnectorError('notFound', `There is no machine ${id}`);
        }
        return read;
      }),
    sshAddress: (id, { signal }) =>
      during(`find the way into ${id}`, async () => {
        const machine = machineDirectory(await openSite(config, false), id);
        if (!isMachineId(id) || (await unlessMissing(stat(machine))) === undefined) {
          throw new ConnectorError('notFound', `There is no machine ${id}`);
        }
        return sshAddressOf(machine, id, signal);
      }),
    createImage: (id, name, context) =>
      during(`make an image of ${id}`, async () => createImage(await openSite(config, true), id, name, context)),
    attachDisk: (id, disk, { signal }) =>
      during(`give machine ${id} a disk`, async () => attachDisk(await openSite(config, false), id, disk, signal)),
    detachDisk: (id, disk, { signal }) =>
      during(`take a disk from machine ${id}`, async () => detachDisk(await openSite(config, false), id, disk, signal)),
    resolveImage: (image, { signal }) =>
      during(`find the image ${image}`, async () => imageNow(await openSite(config, true), image, signal)),
  };
}

async function during<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toConnectorError(error, doing);
  }
}
