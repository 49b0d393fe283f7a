import { checkAborted } from '@paceline/connector-host';
import type { Connector } from '@paceline/engine/connector';
import type { Config } from './config.ts';
import { Delivery } from './delivery.ts';
import { Letters } from './letters.ts';

/**
 * @param program the side-car, as a connector
 * @returns that connector, with what the side-car leaves to us: machines that are begun by SSH
 */
export function createLibcloudConnector(program: Connector, { root, ssh, login }: Config): Connector {
  const wanted = login === undefined ? {} : { login };
  const launches: Connector = { ...program, launch: (request, context) => program.launch({ ...wanted, ...request }, context) };
  if (ssh === undefined) return launches;
  const letters = new Letters(root);
  const delivery = new Delivery(letters, ssh);
  return {
    ...program,
    async launch(request, context) {
      checkAborted(context.signal, 'launch');
      await letters.write(request, context.now());
      const machines = await launches.launch(request, context);
      await letters.address(request.token, machines);
      return machines;
    },
    async describe(ids, context) {
      const machines = await program.describe(ids, context);
      delivery.attend(machines.values(), context);
      return machines;
    },
    async *list(query, context) {
      for await (const resource of program.list(query, context)) {
        // Whoever looks a launch up may be the only one to hear of its machines.
        if (resource.machine !== undefined && resource.token !== undefined) await letters.address(resource.token, [resource.machine]);
        yield resource;
      }
    },
    async terminate(ids, context) {
      await delivery.drop(ids);
      return program.terminate(ids, context);
    },
    async close() {
      await delivery.close();
      await program.close?.();
    },
  };
}
