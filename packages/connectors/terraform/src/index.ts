import { ConnectorError, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { createTerraformConnector } from './terraform-connector.ts';

export { configSchema, type Config } from './config.ts';

/** Machines that a module of OpenTofu or Terraform makes. */
export const connectorModule: ConnectorModule = {
  name: 'terraform',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of a terraform cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    return createTerraformConnector(parsed.data);
  },
};
