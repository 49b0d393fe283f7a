import { ConnectorError, type Connector, type ConnectorModule } from '@paceline/engine/connector';
import * as z from 'zod';
import { configSchema } from './config.ts';
import { createExecConnector } from './exec-connector.ts';
import { Program } from './program.ts';

export { configSchema, type Config } from './config.ts';
export { createExecConnector } from './exec-connector.ts';
export { Program } from './program.ts';

/** Any program that speaks JSON lines on its standard input and output. */
export const connectorModule: ConnectorModule<Promise<Connector>> = {
  name: 'exec',
  configSchema: z.toJSONSchema(configSchema, { io: 'input' }),
  async createConnector(config) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) {
      throw new ConnectorError('invalid', `The configuration of an exec cloud is wrong: ${z.prettifyError(parsed.error)}`);
    }
    const program = new Program(parsed.data);
    const greeting = await program.greet();
    return createExecConnector(program, greeting);
  },
};
