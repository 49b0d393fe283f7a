import { PacelineError, type PlannedNode, type ResolvedDeployment, type RunPlan } from '@paceline/model';
import { isConnectorError } from '../connector/index.ts';
import type { CallFrame } from '../launch/call-limit.ts';
import type { Clouds } from '../launch/clouds.ts';
import { getOrMake } from '../run/get-or-make.ts';
import { cloudFailed } from './cloud-failed.ts';
import type { BuiltImage, ImageStore } from './image-store.ts';
import { newestBuilt } from './newest-built.ts';
import { digestOn, nativeImage, recipeIn } from './recipe.ts';

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
    const built = await newestBuilt(node, { project, account: await accountOf(cloud), build: plan.build, clouds, images });
    return built === undefined ? {} : { built };
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
 * What a run of one image would build, and where.
 * @throws PACELINE_REQUEST_INVALID for deployments, for images that install nothing, and on clouds that cannot make images;
 * PACELINE_CLOUD_FAILED when the cloud does not say in which account it is, or what the native image is now
 */
export async function whatToBuild(
  { category, nodes, deployment }: RunPlan,
  clouds: Clouds,
  frame: CallFrame,
): Promise<{ cloud: string; build: NonNullable<RunPlan['build']> }> {
  const [node] = Object.values(nodes);
  const refuse = (message: string, hint: string): never => {
    throw new PacelineError('PACELINE_REQUEST_INVALID', message, { hint });
  };
  if (category !== 'Image' || node === undefined)
    return refuse(`${deployment.name} is no image`, 'Build the images of a deployment one by one.');
  const installs = node.image.layers.some(({ packages, scripts }) => packages.length > 0 || scripts.preInstall || scripts.postInstall);
  if (!installs) refuse(`${deployment.name} installs nothing`, 'Only preInstall, packages and postInstall are part of a built image.');
  const { cloud } = node;
  const line = clouds.line(cloud);
  if (line.connector.createImage === undefined)
    refuse(`The cloud ${cloud} cannot make images of machines`, 'Name another one with --cloud.');
  const account = await line.account(frame).catch((cause: unknown) => {
    throw cloudFailed(`${cloud} does not say in which account it would build`, cause);
  });
  const { image } = nativeImage(node, clouds);
  const means = await line.resolveImage(frame, account, image).catch((cause: unknown) => {
    throw cloudFailed(`${cloud} does not say what ${deployment.name} would stand on`, cause);
  });
  const recipe = recipeIn(node, node.image.layers.length, account, clouds);
  const base = means === image ? undefined : means;
  return { cloud, build: { digest: digestOn(recipe, base), recipe, ...(base !== undefined && { base }) } };
}

/** What is installed does not depend on parameters, so nobody needs to be asked for any. */
export function demandingNothing(deployment: ResolvedDeployment): ResolvedDeployment {
  const nodes = Object.entries(deployment.nodes).map(([name, node]) => {
    const parameters = Object.entries(node.image.parameters).map(([key, { required: _required, ...spec }]) => [key, spec] as const);
    return [name, { ...node, image: { ...node.image, parameters: Object.fromEntries(parameters) } }] as const;
  });
  return { ...deployment, nodes: Object.fromEntries(nodes) };
}

/** The plan of a run that makes an image: it installs, and deploys nothing. @throws as {@link whatToBuild} */
export async function asBuild(plan: RunPlan, build: boolean, clouds: Clouds, frame: CallFrame): Promise<RunPlan> {
  if (!build) return plan;
  const { build: wanted } = await whatToBuild(plan, clouds, frame);
  // What it is built on is part of its digest: it goes to no other cloud.
  const nodes = Object.entries(plan.nodes).map(([name, { elsewhere: _elsewhere, shares: _shares, ...node }]) => {
    const layers = node.image.layers.map(({ scripts: { preInstall, postInstall }, ...layer }) => {
      return { ...layer, scripts: { ...(preInstall && { preInstall }), ...(postInstall && { postInstall }) } };
    });
    return [name, { ...node, image: { ...node.image, layers } }] as const;
  });
  return { ...plan, nodes: Object.fromEntries(nodes), build: wanted, keepRunning: 'never' };
}

/** The plan without the images that are no longer there. */
export function withoutLost(plan: RunPlan, images: readonly Pick<BuiltImage, 'cloud' | 'image' | 'lostAt'>[]): RunPlan {
  const there = images.filter(({ lostAt }) => lostAt === null);
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
