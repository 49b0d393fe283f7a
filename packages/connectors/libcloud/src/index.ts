import { ConnectorError, type Connector, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { createLibcloudConnector } from './libcloud-connector.ts';
import { startSideCar } from './side-car.ts';

export { configSchema, type Config } from './config.ts';

/** Machines of the clouds that Apache Libcloud speaks to. */
export const connectorModule: ConnectorModule<Promise<Connector>> = {
  name: 'libcloud',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  async createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of a libcloud cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createLibcloudConnector(await startSideCar(parsed.data), parsed.data);
  },
};
