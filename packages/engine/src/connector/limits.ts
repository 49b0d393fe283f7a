import type { Capabilities } from './capabilities.ts';
import { ConnectorError } from './connector-error.ts';
import type { LaunchRequest } from './launch-request.ts';

/** @throws ConnectorError invalid, when a launch asks for more than the connector has said that it takes */
export function checkLimits(
  { machines }: LaunchRequest,
  { maxBatch, userDataBytes }: Pick<Capabilities, 'maxBatch' | 'userDataBytes'>,
): void {
  if (machines.length > maxBatch) {
    throw new ConnectorError('invalid', `A launch of ${machines.length} machines is over the limit of ${maxBatch}`);
  }
  for (const { name, userData } of machines) {
    if (userData.length > userDataBytes) {
      throw new ConnectorError('invalid', `The user data of ${name} has ${userData.length} bytes, over the limit of ${userDataBytes}`);
    }
  }
}
