import { ConnectorError, type Resource } from '../connector/index.ts';
import type { CallFrame } from './call-limit.ts';
import type { CloudLine } from './cloud-line.ts';

/**
 * Removes one thing that is not a machine.
 * @param account in which it was seen; undefined where there are no accounts: elsewhere it counts as gone, or something else has its name
 * @throws ConnectorError also when the connector cannot do that at all
 */
export async function removeResource(frame: CallFrame, line: CloudLine, account: string | undefined, resource: Resource): Promise<void> {
  const { connector } = line;
  await line.callIn(frame, account, 'terminate', async (context) => {
    if (connector.remove === undefined) {
      throw new ConnectorError('unsupported', `the connector ${connector.info.name} cannot remove the ${resource.kind} ${resource.id}`);
    }
    await connector.remove(resource, context);
  });
}
