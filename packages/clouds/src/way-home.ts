import type { Cloud } from '@paceline/engine';

/**
 * The clouds of an engine that listens on its own host alone. Machines that would open its URL cannot: it goes to them by SSH instead,
 * unless their cloud itself says how they reach it.
 */
export function behindTunnels(clouds: readonly Cloud[]): Cloud[] {
  return clouds.map((cloud) =>
    cloud.reach === undefined && cloud.connector.capabilities.reach === 'direct' ? { ...cloud, reach: 'tunnel' } : cloud,
  );
}
