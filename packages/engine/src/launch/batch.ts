import type { SharedLaunch } from '../connector/index.ts';
import { writeRanges } from '../connector/ranges.ts';
import type { Instance } from '../run/instance.ts';
import { reachOf, type Cloud } from './clouds.ts';

/** What a launch says of the numbers of its machines goes into one tag, and into user data of 4 KiB. */
const longestRanges = 200;

/** Of these instances the first that one call launches, as many as it can. */
export function batchOf(instances: readonly Instance[], cloud: Cloud): Instance[] {
  const { maxBatch } = cloud.connector.capabilities;
  const together = instances.slice(0, sharedLaunchOf(cloud)?.maxBatch ?? maxBatch);
  while (together.length > maxBatch && !canBeNamed(together)) together.pop();
  return together;
}

/** What the machines of a batch ask their cloud for to learn who they are. @returns undefined when each has user data of its own */
export function placeKeyOf(batch: readonly Instance[], cloud: Cloud): string | undefined {
  return batch.length > 1 && canBeNamed(batch) ? sharedLaunchOf(cloud)?.placeKey : undefined;
}

/** Behind a tunnel each machine has keys of its own in its user data. */
function sharedLaunchOf(cloud: Cloud): SharedLaunch | undefined {
  return reachOf(cloud) === 'tunnel' ? undefined : cloud.connector.capabilities.sharedLaunch;
}

function canBeNamed(instances: readonly Instance[]): boolean {
  return writeRanges(instances.map(({ index }) => index)).length <= longestRanges;
}
