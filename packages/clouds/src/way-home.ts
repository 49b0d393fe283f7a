import { isClosed, type ConfiguredCloud } from '@paceline/engine';

/**
 * A cloud of an engine that listens on its own host alone. Machines that would open its URL cannot: it goes to them by SSH instead,
 * unless the cloud itself says how they reach it.
 */
export function behindTunnel(cloud: ConfiguredCloud): ConfiguredCloud {
  if (isClosed(cloud) || cloud.reach !== undefined || cloud.connector.capabilities.reach !== 'direct') return cloud;
  return { ...cloud, reach: 'tunnel' };
}
