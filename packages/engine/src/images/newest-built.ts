import type { PlannedBuiltImage, PlannedNode, RunPlan } from '@paceline/model';
import type { Clouds } from '../launch/clouds.ts';
import type { ImageStore } from './image-store.ts';
import { digestOn, recipeIn } from './recipe.ts';

/** Where machines of a node look for what was built for them. */
export interface Shelf {
  project: string;
  account: string | undefined;
  /** The build that they are there for: then it has to stand on the same. */
  build: RunPlan['build'];
  clouds: Clouds;
  images: Pick<ImageStore, 'find' | 'newest'>;
}

/** The newest image that was built of a node's image, or of the nearest ancestor of it that there is one of. */
export async function newestBuilt(
  node: Pick<PlannedNode, 'image' | 'cloud'>,
  { project, account, build, clouds, images }: Shelf,
): Promise<PlannedBuiltImage | undefined> {
  const { cloud } = node;
  for (let layers = node.image.layers.length; layers > 0; layers--) {
    const recipe = recipeIn(node, layers, account, clouds);
    const found = await (build === undefined
      ? images.newest({ project, cloud, recipe })
      : images.find({ project, cloud, digest: digestOn(recipe, build.base) }));
    if (found === undefined) continue;
    const { image, digest, login } = found;
    return { image, digest, layers, ...(login === null ? {} : { login }) };
  }
  return undefined;
}
