import { ConnectorError, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { createLocalConnector } from './local-connector.ts';

/** Machines that are process groups on this host: nothing to install, no account to have. */
export const connectorModule: ConnectorModule = {
  name: 'local',
  configSchema: z.toJSONSchema(configSchema),
  createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of a local cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createLocalConnector(parsed.data);
  },
};
