import { ConnectorError, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { createSshConnector } from './ssh-connector.ts';

export { configSchema, type Config } from './config.ts';

/** Machines on hosts that are there already, taken by lease over SSH. */
export const connectorModule: ConnectorModule = {
  name: 'ssh',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of an ssh cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createSshConnector(parsed.data);
  },
};
