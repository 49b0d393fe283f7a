import { GetConsoleOutputCommand } from '@aws-sdk/client-ec2';
import { ConnectorError, type Connector } from '@paceline/engine/connector';
import { Account, withoutNetwork } from './account.ts';
import type { Config } from './config.ts';
import { attachDisk, detachDisk } from './disk.ts';
import { resolveImage } from './image.ts';
import { describeInstances, describeMachines, listResources } from './inventory.ts';
import { launchMachines, limits } from './launch.ts';
import { createImage, removeResource } from './machine-image.ts';
import { terminateMachines } from './terminate.ts';

/** A connector to EC2 in one region. */
export function createAwsConnector(config: Config): Connector {
  const account = new Account(config);
  return {
    info: {
      name: 'aws',
      version: '0.0.0',
      api: 1,
      scope: `${config.profile ?? ''} ${config.region} ${config.endpoint ?? ''}`,
      image: config.image,
    },
    capabilities: {
      ...limits,
      idempotency: 'token',
      // What was just launched may be missing from the answers for some seconds.
      listConsistencyMs: 10_000,
      console: 'full',
      reach: 'direct',
      snapshot: true,
      // A launch of many machines is many calls: the engine counts it as one, so what is left for the others is less than EC2 takes.
      calls: { perSecond: 5, burst: 50 },
    },
    launch: (request, context) =>
      launchMachines(account, config, config.login === undefined ? request : { login: config.login, ...request }, context),
    describe: (ids, { signal }) => describeMachines(account, ids, signal),
    async *list(query, { signal }) {
      yield* await listResources(account, query, signal);
    },
    terminate: (ids, { signal }) => terminateMachines(account, ids, signal),
    async probe({ signal }) {
      return { account: (await account.askOwner(signal)) ?? withoutNetwork, regions: [config.region] };
    },
    async account({ signal }) {
      const { region, endpoint } = config;
      return `aws ${await account.owner(signal)} ${region}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
    },
    // Which of them have room AWS does not say; their limits are counted by families, by a service of their own.
    offers: async () =>
      Object.entries(config.instanceTypes).map(([name, { cpus, memoryMiB, price }]) => ({
        name,
        cpus,
        memoryMiB,
        price: price === undefined ? null : { amount: price, currency: 'USD' },
      })),
    remove: (resource, { signal }) => removeResource(account, resource, signal),
    async consoleLog(id, since, { signal }) {
      if ((await describeInstances(account, [id], signal)).length === 0) throw new ConnectorError('notFound', `There is no machine ${id}`);
      const { Output } = await account.ask(`read the console of ${id}`, signal, (client, options) =>
        client.send(new GetConsoleOutputCommand({ InstanceId: id }), options),
      );
      const bytes = Buffer.from(Output ?? '', 'base64');
      return { text: bytes.subarray(since).toString('utf8'), next: Math.max(since, bytes.length) };
    },
    createImage: (id, name, context) => createImage(account, id, name, context),
    resolveImage: (image, { signal }) => resolveImage(account, config, image, signal),
    attachDisk: (id, disk, { signal }) => attachDisk(account, id, disk, signal),
    detachDisk: (id, disk, { signal }) => detachDisk(account, id, disk, signal),
    close: async () => account.close(),
  };
}
