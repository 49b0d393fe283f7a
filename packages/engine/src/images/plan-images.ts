import { buildDigest, PacelineError, type PlannedNode, type ResolvedDeployment, type RunPlan } from '@paceline/model';
import type { Clouds } from '../launch/clouds.ts';
import type { BuiltImage, ImageStore } from './image-store.ts';

/** What the machines of a node boot when nothing is built. */
export function nativeImage(
  { image, cloud }: Pick<PlannedNode, 'image' | 'cloud'>,
  clouds: Clouds,
): { image: string; login?: string | undefined } {
  return image.clouds[cloud] ?? image.clouds[clouds.get(cloud).connector.info.name] ?? { image: '' };
}

/** The plan of a run in a project with the newest image that was built of each node's image, or of an ancestor of it. */
export async function withBuiltImages(
  plan: RunPlan,
  project: string,
  { clouds, images }: { clouds: Clouds; images: ImageStore },
): Promise<RunPlan> {
  const builtOf = async (node: PlannedNode): Promise<Pick<PlannedNode, 'built'>> => {
    if (node.shares !== undefined) return {};
    const { cloud } = node;
    const native = nativeImage(node, clouds).image;
    for (let layers = node.image.layers.length; layers > 0; layers--) {
      const found = await images.find({ project, cloud, digest: buildDigest(node.image, layers, native) });
      if (found === undefined) continue;
      const { image, digest, login } = found;
      return { built: { image, digest, layers, ...(login === null ? {} : { login }) } };
    }
    return {};
  };
  const nodes = await Promise.all(
    Object.entries(plan.nodes).map(async ([name, node]) => [name, { ...node, ...(await builtOf(node)) }] as const),
  );
  return { ...plan, nodes: Object.fromEntries(nodes) };
}

/**
 * The digest of the image that a run of one image would build.
 * @throws PACELINE_REQUEST_INVALID for deployments, for images that install nothing, and on clouds that cannot make images
 */
export function digestToBuild({ category, nodes, deployment }: RunPlan, clouds: Clouds): { cloud: string; digest: string } {
  const [node] = Object.values(nodes);
  const refuse = (message: string, hint: string): never => {
    throw new PacelineError('PACELINE_REQUEST_INVALID', message, { hint });
  };
  if (category !== 'Image' || node === undefined)
    return refuse(`${deployment.name} is no image`, 'Build the images of a deployment one by one.');
  const installs = node.image.layers.some(({ packages, scripts }) => packages.length > 0 || scripts.preInstall || scripts.postInstall);
  if (!installs) refuse(`${deployment.name} installs nothing`, 'Only preInstall, packages and postInstall are part of a built image.');
  if (clouds.get(node.cloud).connector.createImage === undefined)
    refuse(`The cloud ${node.cloud} cannot make images of machines`, 'Name another one with --cloud.');
  return { cloud: node.cloud, digest: buildDigest(node.image, node.image.layers.length, nativeImage(node, clouds).image) };
}

/** What is installed does not depend on parameters, so nobody needs to be asked for any. */
export function demandingNothing(deployment: ResolvedDeployment): ResolvedDeployment {
  const nodes = Object.entries(deployment.nodes).map(([name, node]) => {
    const parameters = Object.entries(node.image.parameters).map(([key, { required: _required, ...spec }]) => [key, spec] as const);
    return [name, { ...node, image: { ...node.image, parameters: Object.fromEntries(parameters) } }] as const;
  });
  return { ...deployment, nodes: Object.fromEntries(nodes) };
}

/** The plan of a run that makes an image: it installs, and deploys nothing. @throws as {@link digestToBuild} */
export function asBuild(plan: RunPlan, build: boolean, clouds: Clouds): RunPlan {
  if (!build) return plan;
  const { digest } = digestToBuild(plan, clouds);
  // What it is built on is part of its digest: it goes to no other cloud.
  const nodes = Object.entries(plan.nodes).map(([name, { elsewhere: _elsewhere, shares: _shares, ...node }]) => {
    const layers = node.image.layers.map(({ scripts: { preInstall, postInstall }, ...layer }) => {
      return { ...layer, scripts: { ...(preInstall && { preInstall }), ...(postInstall && { postInstall }) } };
    });
    return [name, { ...node, image: { ...node.image, layers } }] as const;
  });
  return { ...plan, nodes: Object.fromEntries(nodes), build: { digest }, keepRunning: 'never' };
}

/** The plan without the images that are no longer there. */
export function withoutLost(plan: RunPlan, there: readonly Pick<BuiltImage, 'cloud' | 'image'>[]): RunPlan {
  const nodes = Object.entries(plan.nodes).map(([name, node]) => {
    const { built, ...rest } = node;
    const isThere = there.some(({ cloud, image }) => cloud === node.cloud && image === built?.image);
    return [name, built === undefined || isThere ? node : rest] as const;
  });
  return { ...plan, nodes: Object.fromEntries(nodes) };
}

/** The plan by what was asked for: which images are built by now is another question. */
export function withoutBuilt(plan: RunPlan): RunPlan {
  const nodes = Object.entries(plan.nodes).map(([name, { built: _built, ...node }]) => [name, node] as const);
  return { ...plan, nodes: Object.fromEntries(nodes) };
}
