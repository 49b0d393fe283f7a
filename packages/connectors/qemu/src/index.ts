import { ConnectorError, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { createQemuConnector } from './qemu-connector.ts';

export { configSchema, type Config } from './config.ts';

/** Virtual machines on this host: a kernel, a disk and cloud-init of their own, with nothing to be root for. */
export const connectorModule: ConnectorModule = {
  name: 'qemu',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of a qemu cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createQemuConnector(parsed.data);
  },
};
