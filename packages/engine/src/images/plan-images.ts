import { buildDigest, canonicalJson, PacelineError, type PlannedNode, type ResolvedDeployment, type RunPlan } from '@paceline/model';
import { isConnectorError } from '../connector/index.ts';
import type { CallFrame } from '../launch/call-limit.ts';
import type { Clouds } from '../launch/clouds.ts';
import { getOrMake } from '../run/get-or-make.ts';
import { cloudFailed } from './cloud-failed.ts';
import type { BuiltImage, ImageStore } from './image-store.ts';

/** What the machines of a node boot when nothing is built, by name; `''` where neither the module nor the cloud names anything. */
export function nativeImage(
  { image, cloud }: Pick<PlannedNode, 'image' | 'cloud'>,
  clouds: Clouds,
): { image: string; login?: string | undefined } {
  const { name, image: usual = '' } = clouds.get(cloud).connector.info;
  return image.clouds[cloud] ?? image.clouds[name] ?? { image: usual };
}

/**
 * The digest of what is in an image that is built of the first layers of another. What is built in one account is not there in another.
 * @param account where it is built; null or undefined where there are no accounts
 */
export function digestIn(
  node: Pick<PlannedNode, 'image' | 'cloud'>,
  layers: number,
  account: string | null | undefined,
  clouds: Clouds,
): string {
  const { image } = nativeImage(node, clouds);
  return buildDigest(node.image, layers, typeof account === 'string' ? canonicalJson({ account, image }) : image);
}

/** The plan of a run in a project with the newest image that was built of each node's image, or of an ancestor of it. */
export async function withBuiltImages(
  plan: RunPlan,
  project: string,
  { clouds, images, frame }: { clouds: Clouds; images: ImageStore; frame: CallFrame },
): Promise<RunPlan> {
  const accounts = new Map<string, Promise<string | undefined>>();
  const accountOf = (cloud: string): Promise<string | undefined> => getOrMake(accounts, cloud, () => clouds.line(cloud).account(frame));
  const builtOf = async (node: PlannedNode): Promise<Pick<PlannedNode, 'built'>> => {
    if (node.shares !== undefined) return {};
    const { cloud } = node;
    if ((await images.resources(cloud)).size === 0) return {};
    const account = await accountOf(cloud);
    for (let layers = node.image.layers.length; layers > 0; layers--) {
      const found = await images.find({ project, cloud, digest: digestIn(node, layers, account, clouds) });
      if (found === undefined) continue;
      const { image, digest, login } = found;
      return { built: { image, digest, layers, ...(login === null ? {} : { login }) } };
    }
    return {};
  };
  const nodes = await Promise.all(
    Object.entries(plan.nodes).map(async ([name, node]) => {
      const built = await builtOf(node).catch((error: unknown): Pick<PlannedNode, 'built'> => {
        if (!isConnectorError(error)) throw error;
        frame.log.warn(`${name} boots no built image, as ${node.cloud} does not say in which account it is: ${error.message}`);
        return {};
      });
      return [name, { ...node, ...built }] as const;
    }),
  );
  return { ...plan, nodes: Object.fromEntries(nodes) };
}

/**
 * The digest of the image that a run of one image would build.
 * @throws PACELINE_REQUEST_INVALID for deployments, for images that install nothing, and on clouds that cannot make images;
 * PACELINE_CLOUD_FAILED when the cloud does not say in which account it is
 */
export async function digestToBuild(
  { category, nodes, deployment }: RunPlan,
  clouds: Clouds,
  frame: CallFrame,
): Promise<{ cloud: string; digest: string }> {
  const [node] = Object.values(nodes);
  const refuse = (message: string, hint: string): never => {
    throw new PacelineError('PACELINE_REQUEST_INVALID', message, { hint });
  };
  if (category !== 'Image' || node === undefined)
    return refuse(`${deployment.name} is no image`, 'Build the images of a deployment one by one.');
  const installs = node.image.layers.some(({ packages, scripts }) => packages.length > 0 || scripts.preInstall || scripts.postInstall);
  if (!installs) refuse(`${deployment.name} installs nothing`, 'Only preInstall, packages and postInstall are part of a built image.');
  const { cloud } = node;
  if (clouds.get(cloud).connector.createImage === undefined)
    refuse(`The cloud ${cloud} cannot make images of machines`, 'Name another one with --cloud.');
  const account = await clouds
    .line(cloud)
    .account(frame)
    .catch((cause: unknown) => {
      throw cloudFailed(`${cloud} does not say in which account it would build`, cause);
    });
  return { cloud, digest: digestIn(node, node.image.layers.length, account, clouds) };
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
export async function asBuild(plan: RunPlan, build: boolean, clouds: Clouds, frame: CallFrame): Promise<RunPlan> {
  if (!build) return plan;
  const { digest } = await digestToBuild(plan, clouds, frame);
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
