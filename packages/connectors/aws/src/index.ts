import { ConnectorError, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { createAwsConnector } from './aws-connector.ts';
import { configSchema } from './config.ts';

export { configSchema, type Config } from './config.ts';

/** Machines of Amazon EC2. */
export const connectorModule: ConnectorModule = {
  name: 'aws',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of an aws cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createAwsConnector(parsed.data);
  },
};
