import { ConnectorError, type Connector, type Resource } from '../connector/index.ts';
import { withinLimit, type CallFrame } from './call-limit.ts';

/** Removes one thing that is not a machine. @throws ConnectorError also when the connector cannot do that at all */
export async function removeResource(frame: CallFrame, connector: Connector, resource: Resource): Promise<void> {
  await withinLimit(frame, 'terminate', async (context) => {
    if (connector.remove === undefined) {
      throw new ConnectorError('unsupported', `the connector ${connector.info.name} cannot remove the ${resource.kind} ${resource.id}`);
    }
    await connector.remove(resource, context);
  });
}
