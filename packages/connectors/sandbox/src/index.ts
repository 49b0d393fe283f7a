import { ConnectorError, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { createSandboxConnector } from './sandbox-connector.ts';

export { createImage, type ImageRecord } from './image-factory.ts';
export { configSchema, type Config } from './config.ts';

/** Machines on this host with real cloud-init: an overlay file system, namespaces, and an address of their own. */
export const connectorModule: ConnectorModule = {
  name: 'sandbox',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of a sandbox cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createSandboxConnector(parsed.data);
  },
};
