import { join } from 'node:path';
import { checkAborted, readConsole, toConnectorError, unlessMissing } from '@paceline/connector-host';
import { ConnectorError, type Connector, type Resource } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { resizeControlGroups } from './control-groups.ts';
import { firstProcess } from './first-process.ts';
import { imageNow } from './image.ts';
import { createImage, removeImage } from './image-factory.ts';
import { describeMachines, layersInUse, listResources } from './inventory.ts';
import { launchMachines, limits } from './launch.ts';
import { readRecord } from './machine-record.ts';
import { probeHost } from './probe.ts';
import { removeRun } from './run-directory.ts';
import { machineDirectory, openSite, runOf, type Site } from './site.ts';
import { terminateMachines } from './terminate.ts';

/** A connector whose machines are namespaces of this host. */
export function createSandboxConnector(config: Config): Connector {
  return {
    info: { name: 'sandbox', version: '0.0.0', api: 1, image: config.image },
    capabilities: {
      ...limits,
      idempotency: 'name',
      listConsistencyMs: 0,
      console: 'incremental',
      reach: 'host',
      bringsNode: true,
      snapshot: true,
    },
    launch: (request, context) =>
      during('launch machines', async () => {
        const ids = await launchMachines(config, request, context);
        const machines = await describeMachines(await openSite(config, false), ids, context.signal);
        return ids.flatMap((id) => machines.get(id) ?? []);
      }),
    describe: (ids, context) =>
      during('describe machines', async () => {
        checkAborted(context.signal, 'describe');
        return describeMachines(await openSite(config, false), ids, context.signal);
      }),
    async *list(query, context) {
      try {
        checkAborted(context.signal, 'list');
        for await (const resource of listResources(await openSite(config, false), query, context.signal)) {
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
    remove: (resource) =>
      during(`remove ${resource.kind} ${resource.id}`, async () => removeResource(await openSite(config, false), resource)),
    consoleLog: (id, since) =>
      during(`read the console of ${id}`, async () => {
        const run = runOf(await openSite(config, false), id);
        const read =
          run === undefined ? undefined : await unlessMissing(readConsole(join(machineDirectory(run, id), 'console.log'), since));
        if (read === undefined) {
          throw new ConnectorError('notFound', `There is no machine ${id}`);
        }
        return read;
      }),
    wayIn: (id) =>
      during(`find ${id}`, async () => {
        const run = runOf(await openSite(config, false), id);
        const pid = run === undefined ? undefined : await firstProcess(run, id);
        if (pid === undefined) {
          throw new ConnectorError('notFound', `${id} does not run`);
        }
        return { kind: 'namespaces', pid };
      }),
    resize: (id, size) =>
      during(`resize ${id}`, async () => {
        const run = runOf(await openSite(config, false), id);
        const record = run === undefined ? undefined : await readRecord(machineDirectory(run, id));
        if (record === undefined) throw new ConnectorError('notFound', `There is no machine ${id}`);
        await resizeControlGroups(id, size);
      }),
    async createImage(id, name, context) {
      await createImage(config, id, name, new Date(context.now()));
      return { image: name, id: name };
    },
    resolveImage: (image, { signal }) =>
      during(`find the image ${image}`, async () => imageNow(await openSite(config, true), image, signal)),
  };
}

async function removeResource(site: Site, { kind, id }: Resource): Promise<void> {
  if (kind === 'group' && /^[0-9a-f]{16}$/.test(id)) {
    if (!(await removeRun(join(site.runs, id)))) {
      throw new ConnectorError('conflict', `Run ${id} still has machines`, { hint: 'Terminate them first.' });
    }
  } else if (kind === 'image') {
    await removeImage(site, id, await layersInUse(site));
  } else {
    throw new ConnectorError('unsupported', `A sandbox cloud has no ${kind} that could be removed by itself`);
  }
}

async function during<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toConnectorError(error, doing);
  }
}
