import { buildDigest, canonicalJson, contentDigest, type PlannedNode } from '@paceline/model';
import type { Clouds } from '../launch/clouds.ts';

/** What the machines of a node boot when nothing is built, by name; `''` where neither the module nor the cloud names anything. */
export function nativeImage(
  { image, cloud }: Pick<PlannedNode, 'image' | 'cloud'>,
  clouds: Clouds,
): { image: string; login?: string | undefined } {
  const { name, image: usual = '' } = clouds.get(cloud).connector.info;
  return image.clouds[cloud] ?? image.clouds[name] ?? { image: usual };
}

/**
 * The digest of what an image is made by: what the first layers of another install, on a native image of this name. What is built in one
 * account is not there in another.
 * @param account where it is built; null or undefined where there are no accounts
 */
export function recipeIn(
  node: Pick<PlannedNode, 'image' | 'cloud'>,
  layers: number,
  account: string | null | undefined,
  clouds: Clouds,
): string {
  const { image } = nativeImage(node, clouds);
  return buildDigest(node.image, layers, typeof account === 'string' ? canonicalJson({ account, image }) : image);
}

/**
 * The digest of what is in an image that was made by a recipe: another one as soon as the name of its native image means another.
 * @param base what it means; undefined where its cloud does not say, and where it is the name itself
 */
export function digestOn(recipe: string, base: string | undefined): string {
  return base === undefined ? recipe : contentDigest({ recipe, base });
}
