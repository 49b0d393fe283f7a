import { ConnectorError, type Connector } from '@paceline/engine/connector';
import { createClient, type Client } from './client.ts';
import type { Config } from './config.ts';
import { Consoles } from './console.ts';
import { attachDisk, detachDisk, removeDisk } from './disk.ts';
import { createImage } from './image-factory.ts';
import { findImage } from './image.ts';
import { describeMachines, listResources } from './inventory.ts';
import { launchMachines, limits } from './launch.ts';
import { unlessUnknown } from './failure.ts';
import { probeServer } from './probe.ts';
import { resizeMachine } from './resize.ts';
import { terminateMachines } from './terminate.ts';
import { wayIntoContainer } from './way-in.ts';

/** A connector to a server of LXD or Incus. */
export function createLxdConnector(config: Config): Connector {
  const client = createClient(config);
  const consoles = new Consoles(client);
  return {
    info: { name: 'lxd', version: '0.0.0', api: 1, image: config.image },
    capabilities: {
      ...limits,
      idempotency: 'name',
      // From the answer to a launch until the server has noted the machine.
      listConsistencyMs: 2000,
      console: 'full',
      reach: client.local ? 'host' : 'direct',
      snapshot: config.type === 'container',
    },
    launch: (request, context) => launchMachines(client, config, request, context),
    describe: (ids, { signal }) => describeMachines(client, config, ids, signal),
    async *list(query, { signal }) {
      yield* await listResources(client, config, query, signal);
    },
    async terminate(ids, { signal }) {
      const results = await terminateMachines(client, config, ids, signal);
      consoles.forget(ids);
      return results;
    },
    probe: (context) => probeServer(client, config, context),
    async remove({ kind, id }, { signal }) {
      if (kind === 'disk') {
        return removeDisk(client, id, signal);
      }
      if (kind !== 'image') {
        throw new ConnectorError('unsupported', `An LXD cloud has no ${kind} that could be removed by itself`);
      }
      await unlessUnknown(client.change(`remove image ${id}`, 'DELETE', `/1.0/images/${encodeURIComponent(id)}`, { signal }));
    },
    consoleLog: (id, since, { signal }) => consoles.read(id, since, signal),
    async createImage(id, name, context) {
      const { fingerprint, bytes } = await createImage(config, id, name, context);
      return { image: name, id: fingerprint, bytes };
    },
    resolveImage: (image, { signal }) => findImage(client, config, image, signal),
    resize: (id, size, { signal }) => resizeMachine(client, id, size, signal),
    attachDisk: (id, disk, { signal }) => attachDisk(client, id, disk, signal),
    detachDisk: (id, disk, { signal }) => detachDisk(client, id, disk, signal),
    ...(entersContainers(client, config) && { wayIn: (id, { signal }) => wayIntoContainer(client, id, signal) }),
    close: async () => client.close(),
  };
}

/** Only root gets into what belongs to the server. Virtual machines, and machines elsewhere, are reached by SSH. */
function entersContainers({ local }: Client, { type }: Config): boolean {
  return local && type === 'container' && process.getuid?.() === 0;
}
