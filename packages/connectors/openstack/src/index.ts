import { ConnectorError, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { findCredentials } from './credentials.ts';
import { createOpenstackConnector } from './openstack-connector.ts';
import { Session } from './session.ts';

export { configSchema, type Config } from './config.ts';

/** Machines of OpenStack. */
export const connectorModule: ConnectorModule = {
  name: 'openstack',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of an openstack cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createOpenstackConnector(new Session(findCredentials(parsed.data, process.env)), parsed.data);
  },
};
