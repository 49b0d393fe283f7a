import { ConnectorError, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { createLxdConnector } from './lxd-connector.ts';

export { createImage, type ImageRecord } from './image-factory.ts';
export { configSchema, type Config } from './config.ts';

/** Machines of LXD and Incus: containers and virtual machines with cloud-init. */
export const connectorModule: ConnectorModule = {
  name: 'lxd',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of an lxd cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createLxdConnector(parsed.data);
  },
};
