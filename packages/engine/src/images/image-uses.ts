import { everyProject } from '@paceline/api';
import type { ResolvedImage, RunPlan } from '@paceline/model';
import type { Clouds } from '../launch/clouds.ts';
import type { RunStore } from '../store/run-store.ts';
import type { BuiltImage } from './image-store.ts';
import { recipeIn } from './recipe.ts';

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
  // What is lost nobody boots.
  const there = images.filter(({ lostAt }) => lostAt === null);
  if (there.length === 0) return uses;
  for (const { plan, ...run } of await store.activePlans())
    for (const image of there) if (boots(plan, image)) uses.get(image)?.runs.push(run);
  const known = there.filter(({ cloud }) => clouds.find(cloud) !== undefined).toSorted((one, other) => other.madeAt - one.madeAt);
  const places = [...Map.groupBy(known, ({ cloud, account }) => JSON.stringify([cloud, account])).values()];
  for (const { name, version, channels } of await store.modules.promoted()) {
    const { deployment } = await store.modules.content({ name, version });
    const found = new Set<BuiltImage>();
    for (const { image } of Object.values(deployment.nodes))
      for (const place of places) for (const one of newestAncestors(image, place, clouds)) found.add(one);
    for (const image of found) uses.get(image)?.channels.push(...channels.map((channel) => `${name}@${channel}`));
  }
  return uses;
}

/** Whether a built image is exactly what a module installs. */
export function isBuildOf(built: BuiltImage, image: ResolvedImage, clouds: Clouds): boolean {
  return built.recipe === recipeIn({ image, cloud: built.cloud }, image.layers.length, built.account, clouds);
}

function boots({ nodes }: RunPlan, { cloud, image }: BuiltImage): boolean {
  return Object.values(nodes).some(({ cloud: at, built }) => at === cloud && built?.image === image);
}

/** Of the images in one account of a cloud, the newest first, those that machines would boot: everybody's, or that of their own project. */
function newestAncestors(image: ResolvedImage, images: readonly BuiltImage[], clouds: Clouds): BuiltImage[] {
  const [first] = images;
  if (first === undefined) return [];
  const found: BuiltImage[] = [];
  const projects = new Set([everyProject, ...images.map(({ project }) => project)]);
  for (let layers = image.layers.length; layers > 0; layers--) {
    const recipe = recipeIn({ image, cloud: first.cloud }, layers, first.account, clouds);
    for (const one of images.filter((built) => built.recipe === recipe && projects.delete(built.project))) found.push(one);
    // Whoever has none of their own boots everybody's.
    if (!projects.has(everyProject)) break;
  }
  return found;
}
