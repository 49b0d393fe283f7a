import { buildDigest, type ResolvedImage, type RunPlan } from '@paceline/model';
import type { Clouds } from '../launch/clouds.ts';
import type { RunStore } from '../store/run-store.ts';
import type { BuiltImage } from './image-store.ts';
import { nativeImage } from './plan-images.ts';

/** What a built image is needed for: while there is anything, it is not deleted. */
export interface ImageUses {
  /** The channels whose machines boot it: `shop/web@stable`. */
  channels: string[];
  /** The runs that boot it and have not ended: they may still add machines. */
  runs: string[];
}

/** What each of the images is needed for. */
export async function usesOf(images: readonly BuiltImage[], store: RunStore, clouds: Clouds): Promise<Map<BuiltImage, ImageUses>> {
  const uses = new Map<BuiltImage, ImageUses>(images.map((image) => [image, { channels: [], runs: [] }]));
  if (images.length === 0) return uses;
  for (const { id, plan } of await store.activePlans()) for (const image of images) if (boots(plan, image)) uses.get(image)?.runs.push(id);
  const there = [...new Set(images.map(({ cloud }) => cloud))].filter((cloud) => clouds.find(cloud) !== undefined);
  for (const { name, version, channels } of await store.modules.promoted()) {
    const { deployment } = await store.modules.content({ name, version });
    const found = new Set<BuiltImage>();
    for (const { image } of Object.values(deployment.nodes))
      for (const cloud of there) newestAncestor(image, cloud, images, clouds).forEach((one) => found.add(one));
    for (const image of found) uses.get(image)?.channels.push(...channels.map((channel) => `${name}@${channel}`));
  }
  return uses;
}

/** Whether a built image is exactly what a module installs. */
export function isBuildOf(built: BuiltImage, image: ResolvedImage, clouds: Clouds): boolean {
  return built.digest === buildDigest(image, image.layers.length, nativeImage({ image, cloud: built.cloud }, clouds).image);
}

function boots({ nodes }: RunPlan, { cloud, digest }: BuiltImage): boolean {
  return Object.values(nodes).some(({ cloud: at, built }) => at === cloud && built?.digest === digest);
}

/** The image that machines would boot there, if any is built. */
function newestAncestor(image: ResolvedImage, cloud: string, images: readonly BuiltImage[], clouds: Clouds): BuiltImage[] {
  const native = nativeImage({ image, cloud }, clouds).image;
  for (let layers = image.layers.length; layers > 0; layers--) {
    const digest = buildDigest(image, layers, native);
    const found = images.find((one) => one.cloud === cloud && one.digest === digest);
    if (found !== undefined) return [found];
  }
  return [];
}
