import { ConnectorError, type Resource } from '../connector/index.ts';
import type { CallFrame } from './call-limit.ts';
import type { CloudLine } from './cloud-line.ts';

/** Removes one thing that is not a machine. @throws ConnectorError also when the connector cannot do that at all */
export async function removeResource(frame: CallFrame, line: CloudLine, resource: Resource): Promise<void> {
  const { connector } = line;
  await line.call(frame, 'terminate', async (context) => {
    if (connector.remove === undefined) {
      throw new ConnectorError('unsupported', `the connector ${connector.info.name} cannot remove the ${resource.kind} ${resource.id}`);
    }
    await connector.remove(resource, context);
  });
}
