import { ConnectorError, type Connector } from '@paceline/engine/connector';
import * as z from 'zod';
import { listOffers, probeAccount, readQuota } from './account.ts';
import { resolveImage } from './choice.ts';
import type { Config } from './config.ts';
import { describeServers, describeMachines, listResources } from './inventory.ts';
import { launchMachines, limits, sharedLaunch } from './launch.ts';
import { createImage, removeResource } from './machine-image.ts';
import { Groups } from './security-group.ts';
import type { Session } from './session.ts';
import { Endings } from './terminate.ts';

/** A connector to one project in one region of an OpenStack. */
export function createOpenstackConnector(session: Session, config: Config): Connector {
  const groups = new Groups(session, config);
  const endings = new Endings(session);
  return {
    info: { name: 'openstack', version: '0.0.0', api: 1, scope: session.scope, image: config.image },
    capabilities: {
      ...limits,
      // Machines with floating addresses have a port each, which Nova takes for one machine at a time.
      ...(config.floatingNetwork === undefined && { sharedLaunch }),
      idempotency: 'tag',
      // Nova shows what it has accepted. A request that nobody waits for any more may still be on its way there.
      listConsistencyMs: 15_000,
      console: 'full',
      reach: 'direct',
      snapshot: true,
      // A launch of many machines is many requests: the engine counts it as one, so what is left for the others is less than a cloud takes.
      calls: { perSecond: 5, burst: 50 },
    },
    launch: (request, context) =>
      launchMachines({ session, config, groups }, config.login === undefined ? request : { login: config.login, ...request }, context),
    describe: (ids, { signal }) => describeMachines(session, ids, signal),
    async *list(query, { signal }) {
      yield* await listResources(session, query, signal);
    },
    terminate: (ids, context) => endings.terminate(ids, context),
    probe: ({ signal }) => probeAccount(session, signal),
    account: ({ signal }) => session.account(signal),
    quota: ({ signal }) => readQuota(session, signal),
    offers: ({ signal }) => listOffers(session, config, signal),
    remove: (resource, { signal }) => removeResource(session, resource, signal),
    async consoleLog(id, since, { signal }) {
      if ((await describeServers(session, [id], signal)).length === 0) throw new ConnectorError('notFound', `There is no machine ${id}`);
      const { output } = await session.ask('compute', {
        doing: `read the console of ${id}`,
        method: 'POST',
        path: `/servers/${id}/action`,
        body: { 'os-getConsoleOutput': {} },
        schema: z.object({ output: z.string().nullable() }),
        signal,
      });
      const bytes = Buffer.from(output ?? '', 'utf8');
      return { text: bytes.subarray(since).toString('utf8'), next: Math.max(since, bytes.length) };
    },
    createImage: (id, name, context) => createImage(session, id, name, context),
    resolveImage: (image, { signal }) => resolveImage(session, config, image, signal),
    close: () => session.close(),
  };
}
