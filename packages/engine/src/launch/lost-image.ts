import type { PlannedBuiltImage } from '@paceline/model';
import type { ImageStore } from '../images/image-store.ts';
import { newestBuilt } from '../images/newest-built.ts';
import type { Change } from '../run/change.ts';
import { builtFor, hasJoined, type Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import type { CallFrame } from './call-limit.ts';
import type { Clouds } from './clouds.ts';
import { machineChange } from './ledger.ts';

/** An image that was built and is not on its cloud any more, and the one of an ancestor that is booted instead, if there is any. */
export interface LostImage {
  lost: PlannedBuiltImage;
  instead: PlannedBuiltImage | null;
}

/**
 * Finds out whether machines could not be launched because the image that was built for them is not there any more, as when somebody has
 * deleted it by hand. Then it is marked, and nobody else boots it.
 * @returns undefined when it is there, as far as the cloud says, or when nothing was built for them
 * @throws ConnectorError when the cloud does not say, PACELINE_STORE_FAILED
 */
export async function lostImage(
  { plan, project }: Run,
  instance: Instance,
  account: string | undefined,
  { clouds, images, ...frame }: { clouds: Clouds; images: ImageStore } & CallFrame,
): Promise<LostImage | undefined> {
  const lost = builtFor(plan, instance);
  const node = plan.nodes[instance.node];
  const { cloud } = instance.machine;
  if (lost === undefined || node === undefined || (await clouds.line(cloud).hasImage(frame, account, lost.image))) return undefined;
  await images.lost({ cloud, image: lost.image, digest: lost.digest }, frame.clock.now());
  const instead = await newestBuilt({ image: node.image, cloud }, { project, account, build: plan.build, clouds, images });
  return { lost, instead: instead ?? null };
}

/** These machines, which are not launched yet, boot something else, and do themselves what that lacks. */
export function bootInstead(intended: readonly Instance[], { lost, instead }: LostImage, now: number): Change[] {
  // Who has joined has booted it, whatever the cloud shows.
  const instances = intended.filter((instance) => !hasJoined(instance));
  const [first] = instances;
  if (first === undefined) return [];
  const { node, name, machine } = first;
  const rest = instead === null ? 'its native image and installs everything' : `${instead.image} and installs the rest`;
  const message = `${machine.cloud} does not have the image ${lost.image} any more, which was built: ${node} boots ${rest}`;
  return [
    ...instances.map((instance) => machineChange(instance, { instead: { built: instead }, attempts: 0, retryAt: 0, fault: null })),
    { kind: 'event', at: now, body: { type: 'instance.notice', severity: 'warning', message, data: { instance: name } } },
  ];
}
