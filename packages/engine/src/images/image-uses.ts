import { everyProject } from '@paceline/api';
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
  runs: { id: string; project: string }[];
}

/** What each of the images is needed for. */
export async function usesOf(images: readonly BuiltImage[], store: RunStore, clouds: Clouds): Promise<Map<BuiltImage, ImageUses>> {
  const uses = new Map<BuiltImage, ImageUses>(images.map((image) => [image, { channels: [], runs: [] }]));
  if (images.length === 0) return uses;
  for (const { plan, ...run } of await store.activePlans())
    for (const image of images) if (boots(plan, image)) uses.get(image)?.runs.push(run);
  const there = [...new Set(images.map(({ cloud }) => cloud))].filter((cloud) => clouds.find(cloud) !== undefined);
  for (const { name, version, channels } of await store.modules.promoted()) {
    const { deployment } = await store.modules.content({ name, version });
    const found = new Set<BuiltImage>();
    for (const { image } of Object.values(deployment.nodes))
      for (const cloud of there) for (const one of newestAncestors(image, cloud, images, clouds)) found.add(one);
    for (const image of found) uses.get(image)?.channels.push(...channels.map((channel) => `${name}@${channel}`));
  }
  return uses;
}

/** Whether a built image is exactly what a module installs. */
export function isBuildOf(built: BuiltImage, image: ResolvedImage, clouds: Clouds): boolean {
  return built.digest === buildDigest(image, image.layers.length, nativeImage({ image, cloud: built.cloud }, clouds).image);
}

function boots({ nodes }: RunPlan, { cloud, image }: BuiltImage): boolean {
  return Object.values(nodes).some(({ cloud: at, built }) => at === cloud && built?.image === image);
}

/** The images that machines would boot there: everybody's, or that of their own project. */
function newestAncestors(image: ResolvedImage, cloud: string, images: readonly BuiltImage[], clouds: Clouds): BuiltImage[] {
  const native = nativeImage({ image, cloud }, clouds).image;
  const found: BuiltImage[] = [];
  const projects = new Set(images.map(({ project }) => project));
  for (let layers = image.layers.length; layers > 0; layers--) {
    const digest = buildDigest(image, layers, native);
    for (const one of images.filter((built) => built.cloud === cloud && built.digest === digest && projects.delete(built.project)))
      found.push(one);
    // Whoever has none of their own boots everybody's.
    if (!projects.has(everyProject)) break;
  }
  return found;
}
