import type { Capabilities } from './capabilities.ts';
import { ConnectorError } from './connector-error.ts';
import type { LaunchRequest } from './launch-request.ts';

/** @throws ConnectorError invalid, when a launch asks for more than the connector has said that it takes */
export function checkLimits(
  { machines, shared }: LaunchRequest,
  { maxBatch, sharedLaunch, userDataBytes }: Pick<Capabilities, 'maxBatch' | 'sharedLaunch' | 'userDataBytes'>,
): void {
  const most = shared === undefined ? maxBatch : (sharedLaunch?.maxBatch ?? maxBatch);
  if (machines.length > most) {
    throw new ConnectorError('invalid', `A launch of ${machines.length} machines is over the limit of ${most}`);
  }
  for (const { name, userData } of [...machines, ...(shared === undefined ? [] : [shared])]) {
    if (userData.length > userDataBytes) {
      throw new ConnectorError('invalid', `The user data of ${name} has ${userData.length} bytes, over the limit of ${userDataBytes}`);
    }
  }
}
